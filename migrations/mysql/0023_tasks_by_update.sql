CREATE INDEX tasks_by_update ON tasks (workspace, deleted_at, updated_at, id, project, status);
