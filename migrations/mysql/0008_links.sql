CREATE TABLE links (
    id BINARY(16) NOT NULL PRIMARY KEY,
    user BINARY(16) NOT NULL,
    purpose VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (user, purpose),
    FOREIGN KEY (user) REFERENCES users (id)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
