CREATE INDEX members_by_joining ON members (workspace, present, joined_at, user);
