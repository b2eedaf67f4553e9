CREATE INDEX deliveries_by_due ON deliveries (due_at, id);
