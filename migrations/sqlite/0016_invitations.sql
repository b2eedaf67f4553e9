CREATE TABLE invitations (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL REFERENCES workspaces (id),
    email VARCHAR(254) NOT NULL,
    role VARCHAR(16) NOT NULL,
    invited_by BLOB NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (workspace, email)
);
