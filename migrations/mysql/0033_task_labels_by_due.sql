CREATE INDEX task_labels_by_due ON task_labels (workspace, label, due_date, due_at, task);
