CREATE INDEX tokens_by_end ON tokens (expires_at);
