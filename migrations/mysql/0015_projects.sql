CREATE TABLE projects (
    id BINARY(16) NOT NULL PRIMARY KEY,
    workspace BINARY(16) NOT NULL,
    project_key VARCHAR(10) NOT NULL,
    name VARCHAR(100) NOT NULL,
    last_number BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (workspace, project_key),
    FOREIGN KEY (workspace) REFERENCES workspaces (id)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
