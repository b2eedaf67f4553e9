CREATE TABLE notices (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL,
    person BLOB NOT NULL,
    task BLOB NOT NULL,
    operation BLOB,
    reason VARCHAR(16) NOT NULL,
    changes TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    not_told VARCHAR(200)
);
