CREATE TABLE sinks (
    workspace BINARY(16) NOT NULL,
    sink VARCHAR(16) NOT NULL,
    target_seq BIGINT NOT NULL,
    done_seq BIGINT NOT NULL,
    pending_since BIGINT,
    PRIMARY KEY (workspace, sink)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
