CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    email VARCHAR(254) NOT NULL UNIQUE,
    email_verified SMALLINT NOT NULL,
    name VARCHAR(100) NOT NULL,
    time_zone VARCHAR(64) NOT NULL,
    locale VARCHAR(8) NOT NULL,
    digest TEXT NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL
);
