CREATE INDEX activity_by_actor ON activity (workspace, actor, seq);
