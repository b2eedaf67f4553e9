CREATE INDEX operations_by_end ON operations (finished_at);
