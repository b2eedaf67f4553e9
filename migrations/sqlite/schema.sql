CREATE TABLE activity (
    workspace BLOB NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BLOB NOT NULL,
    task BLOB,
    entry TEXT NOT NULL,
    PRIMARY KEY (workspace, seq)
);
CREATE TABLE changes (
    workspace BLOB NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BLOB NOT NULL,
    actor_name VARCHAR(100) NOT NULL,
    source VARCHAR(100) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    task BLOB,
    task_key VARCHAR(32),
    task_title VARCHAR(300),
    comment BLOB,
    operation BLOB,
    fields TEXT NOT NULL,
    audience TEXT NOT NULL, trace VARCHAR(55),
    PRIMARY KEY (workspace, seq)
);
CREATE TABLE comments (
    id BLOB NOT NULL PRIMARY KEY,
    task BLOB NOT NULL REFERENCES tasks (id),
    author BLOB NOT NULL,
    body TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE TABLE deliveries (
    id BLOB NOT NULL PRIMARY KEY,
    subject_kind VARCHAR(16) NOT NULL,
    subject BLOB NOT NULL,
    channel VARCHAR(16) NOT NULL,
    address VARCHAR(254) NOT NULL,
    person BLOB,
    name VARCHAR(100),
    state VARCHAR(16) NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    provider_id VARCHAR(500),
    error VARCHAR(500), deaths INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, trace VARCHAR(55),
    CHECK ((due_at IS NULL) = (finished_at IS NOT NULL))
);
CREATE TABLE invitations (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL REFERENCES workspaces (id),
    email VARCHAR(254) NOT NULL,
    role VARCHAR(16) NOT NULL,
    invited_by BLOB NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (workspace, email)
);
CREATE TABLE links (
    id BLOB NOT NULL PRIMARY KEY,
    user BLOB NOT NULL REFERENCES users (id),
    purpose VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (user, purpose)
);
CREATE TABLE member_handles (
    workspace BLOB NOT NULL,
    handle VARCHAR(100) NOT NULL,
    user BLOB NOT NULL,
    whole SMALLINT NOT NULL,
    PRIMARY KEY (workspace, handle, user)
) WITHOUT ROWID;
CREATE TABLE members (
    workspace BLOB NOT NULL REFERENCES workspaces (id),
    user BLOB NOT NULL REFERENCES users (id),
    role VARCHAR(16),
    present SMALLINT NOT NULL CHECK (present = (role IS NOT NULL)),
    joined_at BIGINT NOT NULL,
    workspace_name VARCHAR(100) NOT NULL,
    PRIMARY KEY (workspace, user)
) WITHOUT ROWID;
CREATE TABLE notice_changes (
    person BLOB NOT NULL,
    workspace BLOB NOT NULL,
    seq BIGINT NOT NULL,
    notice BLOB NOT NULL,
    PRIMARY KEY (person, workspace, seq)
) WITHOUT ROWID;
CREATE TABLE notices (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL,
    person BLOB NOT NULL,
    task BLOB NOT NULL,
    operation BLOB,
    reason VARCHAR(16) NOT NULL,
    changes TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    not_told VARCHAR(200)
);
CREATE TABLE operations (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL,
    actor BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    batch BLOB NOT NULL,
    accepted_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    outcome TEXT
);
CREATE TABLE projects (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL REFERENCES workspaces (id),
    project_key VARCHAR(10) NOT NULL,
    name VARCHAR(100) NOT NULL,
    last_number BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (workspace, project_key)
);
CREATE TABLE schema_migrations (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    fingerprint CHAR(64) NOT NULL,
    applied_at BIGINT NOT NULL
);
CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    user BLOB NOT NULL REFERENCES users (id),
    secret_hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    user_agent VARCHAR(200) NOT NULL
);
CREATE TABLE sinks (
    workspace BLOB NOT NULL,
    sink VARCHAR(16) NOT NULL,
    target_seq BIGINT NOT NULL,
    done_seq BIGINT NOT NULL,
    pending_since BIGINT,
    PRIMARY KEY (workspace, sink)
) WITHOUT ROWID;
CREATE TABLE task_assignees (
    task BLOB NOT NULL,
    user BLOB NOT NULL,
    workspace BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    due_date CHAR(10),
    due_at BIGINT,
    PRIMARY KEY (task, user)
) WITHOUT ROWID;
CREATE TABLE task_keys (
    workspace BLOB NOT NULL,
    project_key VARCHAR(10) NOT NULL,
    number BIGINT NOT NULL,
    task BLOB NOT NULL,
    PRIMARY KEY (workspace, project_key, number)
) WITHOUT ROWID;
CREATE TABLE task_labels (
    task BLOB NOT NULL,
    label VARCHAR(50) NOT NULL,
    workspace BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    due_date CHAR(10),
    due_at BIGINT,
    PRIMARY KEY (task, label)
) WITHOUT ROWID;
CREATE TABLE tasks (
    id BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL REFERENCES workspaces (id),
    project BLOB NOT NULL REFERENCES projects (id),
    project_key VARCHAR(10) NOT NULL,
    number BIGINT NOT NULL,
    title VARCHAR(300) NOT NULL,
    body TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    progress SMALLINT NOT NULL,
    priority SMALLINT NOT NULL,
    due_date CHAR(10),
    due_at BIGINT,
    due_offset INTEGER,
    assignees TEXT NOT NULL,
    watchers TEXT NOT NULL,
    labels TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_by BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    completed_at BIGINT,
    deleted_at BIGINT,
    UNIQUE (project, number),
    CHECK ((status = 'done') = (progress = 100)),
    CHECK ((status = 'done') = (completed_at IS NOT NULL)),
    CHECK (due_date IS NULL OR due_at IS NOT NULL)
);
CREATE TABLE tokens (
    id BLOB NOT NULL PRIMARY KEY,
    user BLOB NOT NULL REFERENCES users (id),
    secret_hash BLOB NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    email VARCHAR(254) NOT NULL UNIQUE,
    email_verified SMALLINT NOT NULL,
    name VARCHAR(100) NOT NULL,
    time_zone VARCHAR(64) NOT NULL,
    locale VARCHAR(8) NOT NULL,
    digest TEXT NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE workspaces (
    id BLOB NOT NULL PRIMARY KEY,
    slug VARCHAR(50) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    seq BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX activity_by_actor ON activity (workspace, actor, seq);
CREATE INDEX activity_by_task ON activity (workspace, task, seq);
CREATE INDEX comments_by_age ON comments (task, deleted_at, created_at, id);
CREATE INDEX deliveries_by_due ON deliveries (due_at, id);
CREATE INDEX deliveries_by_subject ON deliveries (subject, id);
CREATE INDEX invitations_by_age ON invitations (workspace, created_at, id);
CREATE INDEX invitations_by_end ON invitations (expires_at);
CREATE INDEX links_by_end ON links (expires_at);
CREATE INDEX members_by_joining ON members (workspace, present, joined_at, user);
CREATE INDEX members_by_person ON members (user, present, workspace_name, workspace);
CREATE INDEX notices_by_task ON notices (workspace, task, last_seq, id);
CREATE INDEX operations_by_end ON operations (finished_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (user, created_at, id);
CREATE INDEX sinks_by_wait ON sinks (sink, pending_since, workspace);
CREATE INDEX task_assignees_by_creation ON task_assignees (workspace, user, created_at, task);
CREATE INDEX task_assignees_by_due ON task_assignees (workspace, user, due_date, due_at, task);
CREATE INDEX task_assignees_by_priority ON task_assignees (workspace, user, priority, task);
CREATE INDEX task_labels_by_creation ON task_labels (workspace, label, created_at, task);
CREATE INDEX task_labels_by_due ON task_labels (workspace, label, due_date, due_at, task);
CREATE INDEX task_labels_by_priority ON task_labels (workspace, label, priority, task);
CREATE INDEX tasks_by_creation ON tasks (workspace, deleted_at, created_at, id, project, status);
CREATE INDEX tasks_by_due ON tasks (workspace, deleted_at, due_date, due_at, id, project, status);
CREATE INDEX tasks_by_priority ON tasks (workspace, deleted_at, priority, id, project, status);
CREATE INDEX tasks_by_update ON tasks (workspace, deleted_at, updated_at, id, project, status);
CREATE INDEX tokens_by_end ON tokens (expires_at);
CREATE INDEX tokens_by_user ON tokens (user, created_at, id);
