CREATE TABLE notice_changes (
    person BLOB NOT NULL,
    workspace BLOB NOT NULL,
    seq BIGINT NOT NULL,
    notice BLOB NOT NULL,
    PRIMARY KEY (person, workspace, seq)
) WITHOUT ROWID;
