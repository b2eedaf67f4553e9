CREATE TABLE task_keys (
    workspace BLOB NOT NULL,
    project_key VARCHAR(10) NOT NULL,
    number BIGINT NOT NULL,
    task BLOB NOT NULL,
    PRIMARY KEY (workspace, project_key, number)
) WITHOUT ROWID;
