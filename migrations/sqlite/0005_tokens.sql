CREATE TABLE tokens (
    id BLOB NOT NULL PRIMARY KEY,
    user BLOB NOT NULL REFERENCES users (id),
    secret_hash BLOB NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
