CREATE INDEX comments_by_age ON comments (task, deleted_at, created_at, id);
