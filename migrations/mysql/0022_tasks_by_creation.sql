CREATE INDEX tasks_by_creation ON tasks (workspace, deleted_at, created_at, id, project, status);
