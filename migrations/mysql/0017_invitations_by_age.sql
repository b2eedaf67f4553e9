CREATE INDEX invitations_by_age ON invitations (workspace, created_at, id);
