CREATE INDEX task_labels_by_priority ON task_labels (workspace, label, priority, task);
