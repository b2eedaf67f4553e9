CREATE TABLE activity (
    workspace BINARY(16) NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BINARY(16) NOT NULL,
    task BINARY(16),
    entry MEDIUMTEXT NOT NULL,
    PRIMARY KEY (workspace, seq)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
