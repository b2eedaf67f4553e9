CREATE TABLE task_keys (
    workspace BINARY(16) NOT NULL,
    project_key VARCHAR(10) NOT NULL,
    number BIGINT NOT NULL,
    task BINARY(16) NOT NULL,
    PRIMARY KEY (workspace, project_key, number)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
