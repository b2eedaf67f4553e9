CREATE TABLE projects (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL REFERENCES workspaces (id),
    project_key VARCHAR(10) NOT NULL,
    name VARCHAR(100) NOT NULL,
    last_number BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (workspace, project_key)
);
