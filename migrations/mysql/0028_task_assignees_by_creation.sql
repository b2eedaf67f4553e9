CREATE INDEX task_assignees_by_creation ON task_assignees (workspace, user, created_at, task);
