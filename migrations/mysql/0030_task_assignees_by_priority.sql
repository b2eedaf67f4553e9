CREATE INDEX task_assignees_by_priority ON task_assignees (workspace, user, priority, task);
