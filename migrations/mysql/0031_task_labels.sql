CREATE TABLE task_labels (
    task BINARY(16) NOT NULL,
    label VARCHAR(50) NOT NULL,
    workspace BINARY(16) NOT NULL,
    created_at BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    due_date CHAR(10),
    due_at BIGINT,
    PRIMARY KEY (task, label)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
