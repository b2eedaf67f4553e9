CREATE TABLE deliveries (
    id BLOB NOT NULL PRIMARY KEY,
    subject_kind VARCHAR(16) NOT NULL,
    subject BLOB NOT NULL,
    channel VARCHAR(16) NOT NULL,
    address VARCHAR(254) NOT NULL,
    person BLOB,
    name VARCHAR(100),
    state VARCHAR(16) NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    provider_id VARCHAR(500),
    error VARCHAR(500),
    CHECK ((due_at IS NULL) = (finished_at IS NOT NULL))
);
