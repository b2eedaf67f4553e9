CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    user BLOB NOT NULL REFERENCES users (id),
    secret_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    user_agent VARCHAR(200) NOT NULL
);
