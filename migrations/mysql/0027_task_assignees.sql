CREATE TABLE task_assignees (
    task BINARY(16) NOT NULL,
    user BINARY(16) NOT NULL,
    workspace BINARY(16) NOT NULL,
    created_at BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    due_date CHAR(10),
    due_at BIGINT,
    PRIMARY KEY (task, user)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
