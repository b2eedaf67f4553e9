CREATE TABLE operations (
    id BINARY(16) NOT NULL PRIMARY KEY,
    workspace BINARY(16) NOT NULL,
    actor BINARY(16) NOT NULL,
    fingerprint BINARY(32) NOT NULL,
    batch BINARY(16) NOT NULL,
    accepted_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    outcome MEDIUMTEXT
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
