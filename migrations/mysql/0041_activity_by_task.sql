CREATE INDEX activity_by_task ON activity (workspace, task, seq);
