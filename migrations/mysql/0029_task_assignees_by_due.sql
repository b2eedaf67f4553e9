CREATE INDEX task_assignees_by_due ON task_assignees (workspace, user, due_date, due_at, task);
