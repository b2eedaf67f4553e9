CREATE INDEX tasks_by_priority ON tasks (workspace, deleted_at, priority, id, project, status);
