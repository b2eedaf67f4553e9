CREATE TABLE comments (
    id BINARY(16) NOT NULL PRIMARY KEY,
    task BINARY(16) NOT NULL,
    author BINARY(16) NOT NULL,
    body MEDIUMTEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    FOREIGN KEY (task) REFERENCES tasks (id)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
