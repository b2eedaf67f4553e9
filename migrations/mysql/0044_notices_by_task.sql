CREATE INDEX notices_by_task ON notices (workspace, task, last_seq, id);
