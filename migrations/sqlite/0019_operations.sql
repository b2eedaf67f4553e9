CREATE TABLE operations (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL,
    actor BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    batch BLOB NOT NULL,
    accepted_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    outcome TEXT
);
