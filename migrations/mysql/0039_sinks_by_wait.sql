CREATE INDEX sinks_by_wait ON sinks (sink, pending_since, workspace);
