CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    channel    TEXT    NOT NULL,
    chat_id    TEXT    NOT NULL,
    origin     TEXT    NOT NULL,          -- key of the session whose turn made it
    name       TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    timing     TEXT    NOT NULL,          -- as the scheduler writes it
    zone       TEXT    NOT NULL,
    rights     TEXT    NOT NULL,          -- JSON, frozen when the job was made
    state      TEXT    NOT NULL CHECK (state IN ('active', 'done', 'disabled', 'quarantined', 'removed')),
    reason     TEXT,                      -- why it is disabled or quarantined
    next_due   INTEGER,                   -- none: nothing is planned
    failures   INTEGER NOT NULL DEFAULT 0,-- in a row
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs (next_due, id) WHERE state = 'active' AND next_due IS NOT NULL;
CREATE INDEX jobs_of_session ON jobs (session_id, id);
CREATE INDEX jobs_kept ON jobs (session_id) WHERE state IN ('active', 'disabled', 'quarantined');

CREATE TABLE job_runs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id     INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    due_at     INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,                   -- set with the end of its turn
    outcome    TEXT CHECK (outcome IN ('ok', 'error', 'cancelled', 'missed')),  -- none until the scheduler has judged it
    error      TEXT,
    inbox_id   INTEGER REFERENCES inbox (id) ON DELETE SET NULL,
    outbox_id  INTEGER REFERENCES outbox (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX job_runs_of_job ON job_runs (job_id, id);
CREATE UNIQUE INDEX job_runs_open ON job_runs (job_id) WHERE outcome IS NULL;
CREATE INDEX job_runs_ended ON job_runs (ended_at) WHERE outcome IS NULL AND ended_at IS NOT NULL;
CREATE INDEX job_runs_of_message ON job_runs (inbox_id) WHERE inbox_id IS NOT NULL;
CREATE INDEX job_runs_of_answer ON job_runs (outbox_id) WHERE outbox_id IS NOT NULL;

CREATE TABLE attachments (
    id        INTEGER PRIMARY KEY,
    outbox_id INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    size      INTEGER NOT NULL,           -- before the bytes, so that it is summed without reading them
    name      TEXT    NOT NULL,
    mime      TEXT    NOT NULL,
    data      BLOB    NOT NULL
) STRICT;
CREATE INDEX attachments_of_message ON attachments (outbox_id, id, size);

CREATE TABLE tasks (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_id  INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    session_id INTEGER UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    label      TEXT    NOT NULL,
    task       TEXT    NOT NULL,
    rights     TEXT    NOT NULL,          -- JSON, frozen when the task was given
    depth      INTEGER NOT NULL,          -- 1 for the task of a chat
    state      TEXT    NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
    answer     TEXT,
    announced  INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE INDEX tasks_of_parent ON tasks (parent_id, id);
CREATE INDEX tasks_running ON tasks (parent_id) WHERE state = 'running';
CREATE INDEX tasks_unannounced ON tasks (id) WHERE announced = 0 AND state IN ('done', 'failed');
