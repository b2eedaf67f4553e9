CREATE TABLE notice_changes (
    person BINARY(16) NOT NULL,
    workspace BINARY(16) NOT NULL,
    seq BIGINT NOT NULL,
    notice BINARY(16) NOT NULL,
    PRIMARY KEY (person, workspace, seq)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
