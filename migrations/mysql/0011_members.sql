CREATE TABLE members (
    workspace BINARY(16) NOT NULL,
    user BINARY(16) NOT NULL,
    role VARCHAR(16),
    present SMALLINT NOT NULL,
    joined_at BIGINT NOT NULL,
    workspace_name VARCHAR(100) NOT NULL,
    PRIMARY KEY (workspace, user),
    FOREIGN KEY (workspace) REFERENCES workspaces (id),
    FOREIGN KEY (user) REFERENCES users (id),
    CHECK (present = (role IS NOT NULL))
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
