CREATE INDEX task_labels_by_creation ON task_labels (workspace, label, created_at, task);
