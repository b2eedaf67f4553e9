CREATE INDEX links_by_end ON links (expires_at);
