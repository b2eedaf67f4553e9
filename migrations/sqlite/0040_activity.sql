CREATE TABLE activity (
    workspace BLOB NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BLOB NOT NULL,
    task BLOB,
    entry TEXT NOT NULL,
    PRIMARY KEY (workspace, seq)
);
