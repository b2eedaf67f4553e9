CREATE TABLE invitations (
    id BINARY(16) NOT NULL PRIMARY KEY,
    workspace BINARY(16) NOT NULL,
    email VARCHAR(254) NOT NULL,
    role VARCHAR(16) NOT NULL,
    invited_by BINARY(16) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (workspace, email),
    FOREIGN KEY (workspace) REFERENCES workspaces (id),
    FOREIGN KEY (invited_by) REFERENCES users (id)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
