CREATE TABLE links (
    id BLOB NOT NULL PRIMARY KEY,
    user BLOB NOT NULL REFERENCES users (id),
    purpose VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (user, purpose)
);
