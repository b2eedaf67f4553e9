CREATE TABLE notices (
    id BINARY(16) NOT NULL PRIMARY KEY,
    workspace BINARY(16) NOT NULL,
    person BINARY(16) NOT NULL,
    task BINARY(16) NOT NULL,
    operation BINARY(16),
    reason VARCHAR(16) NOT NULL,
    changes MEDIUMTEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    not_told VARCHAR(200)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
