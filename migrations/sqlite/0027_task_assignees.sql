CREATE TABLE task_assignees (
    task BLOB NOT NULL,
    user BLOB NOT NULL,
    workspace BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    due_date CHAR(10),
    due_at BIGINT,
    PRIMARY KEY (task, user)
) WITHOUT ROWID;
