CREATE TABLE task_labels (
    task BLOB NOT NULL,
    label VARCHAR(50) NOT NULL,
    workspace BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    due_date CHAR(10),
    due_at BIGINT,
    PRIMARY KEY (task, label)
) WITHOUT ROWID;
