CREATE INDEX tokens_by_user ON tokens (user, created_at, id);
