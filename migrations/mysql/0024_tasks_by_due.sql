CREATE INDEX tasks_by_due ON tasks (workspace, deleted_at, due_date, due_at, id, project, status);
