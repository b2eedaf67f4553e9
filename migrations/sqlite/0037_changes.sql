CREATE TABLE changes (
    workspace BLOB NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BLOB NOT NULL,
    actor_name VARCHAR(100) NOT NULL,
    source VARCHAR(100) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    task BLOB,
    task_key VARCHAR(32),
    task_title VARCHAR(300),
    comment BLOB,
    operation BLOB,
    fields TEXT NOT NULL,
    audience TEXT NOT NULL,
    PRIMARY KEY (workspace, seq)
);
