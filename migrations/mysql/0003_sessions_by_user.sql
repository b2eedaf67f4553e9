CREATE INDEX sessions_by_user ON sessions (user, created_at, id);
