CREATE INDEX members_by_person ON members (user, present, workspace_name, workspace);
