CREATE TABLE members (
    workspace BLOB NOT NULL REFERENCES workspaces (id),
    user BLOB NOT NULL REFERENCES users (id),
    role VARCHAR(16),
    present SMALLINT NOT NULL CHECK (present = (role IS NOT NULL)),
    joined_at BIGINT NOT NULL,
    workspace_name VARCHAR(100) NOT NULL,
    PRIMARY KEY (workspace, user)
) WITHOUT ROWID;
