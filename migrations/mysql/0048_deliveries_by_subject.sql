CREATE INDEX deliveries_by_subject ON deliveries (subject, id);
