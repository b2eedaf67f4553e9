CREATE TABLE member_handles (
    workspace BLOB NOT NULL,
    handle VARCHAR(100) NOT NULL,
    user BLOB NOT NULL,
    whole SMALLINT NOT NULL,
    PRIMARY KEY (workspace, handle, user)
) WITHOUT ROWID;
