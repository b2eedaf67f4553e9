CREATE TABLE member_handles (
    workspace BINARY(16) NOT NULL,
    handle VARCHAR(255) NOT NULL,
    user BINARY(16) NOT NULL,
    whole SMALLINT NOT NULL,
    PRIMARY KEY (workspace, handle, user)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
