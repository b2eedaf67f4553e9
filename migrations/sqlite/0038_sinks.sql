CREATE TABLE sinks (
    workspace BLOB NOT NULL,
    sink VARCHAR(16) NOT NULL,
    target_seq BIGINT NOT NULL,
    done_seq BIGINT NOT NULL,
    pending_since BIGINT,
    PRIMARY KEY (workspace, sink)
) WITHOUT ROWID;
