CREATE TABLE comments (
    id BLOB NOT NULL PRIMARY KEY,
    task BLOB NOT NULL REFERENCES tasks (id),
    author BLOB NOT NULL,
    body TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
