CREATE TABLE sessions (
    id BINARY(16) NOT NULL PRIMARY KEY,
    user BINARY(16) NOT NULL,
    secret_hash BINARY(32) NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    user_agent VARCHAR(200) NOT NULL,
    FOREIGN KEY (user) REFERENCES users (id)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
