CREATE INDEX invitations_by_end ON invitations (expires_at);
