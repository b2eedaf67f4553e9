CREATE TABLE deliveries (
    id BINARY(16) NOT NULL PRIMARY KEY,
    subject_kind VARCHAR(16) NOT NULL,
    subject BINARY(16) NOT NULL,
    channel VARCHAR(16) NOT NULL,
    address VARCHAR(254) NOT NULL,
    person BINARY(16),
    name VARCHAR(100),
    state VARCHAR(16) NOT NULL,
    attempts INT NOT NULL,
    due_at BIGINT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    provider_id VARCHAR(500),
    error VARCHAR(500),
    CHECK ((due_at IS NULL) = (finished_at IS NOT NULL))
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
