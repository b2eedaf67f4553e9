CREATE TABLE changes (
    workspace BINARY(16) NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BINARY(16) NOT NULL,
    actor_name VARCHAR(100) NOT NULL,
    source VARCHAR(100) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    task BINARY(16),
    task_key VARCHAR(32),
    task_title VARCHAR(300),
    comment BINARY(16),
    operation BINARY(16),
    fields MEDIUMTEXT NOT NULL,
    audience MEDIUMTEXT NOT NULL,
    PRIMARY KEY (workspace, seq)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
