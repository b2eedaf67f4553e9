CREATE TABLE tokens (
    id BINARY(16) NOT NULL PRIMARY KEY,
    user BINARY(16) NOT NULL,
    secret_hash BINARY(32) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    scopes MEDIUMTEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    FOREIGN KEY (user) REFERENCES users (id)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
