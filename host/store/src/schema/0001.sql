CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY,
    key        TEXT    NOT NULL UNIQUE,   -- channel:chat_id
    created_at INTEGER NOT NULL,          -- every time is in milliseconds since 1970
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id  INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    channel     TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    chat_id     TEXT    NOT NULL,
    sender      TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    metadata    TEXT,
    received_at INTEGER NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'queued'
                CHECK (state IN ('queued', 'running', 'done', 'cancelled', 'failed')),
    UNIQUE (channel, account, external_id)
) STRICT;
CREATE INDEX inbox_waiting ON inbox (session_id, id) WHERE state IN ('queued', 'running');

CREATE TABLE turns (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id    INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    inbox_id      INTEGER NOT NULL UNIQUE REFERENCES inbox (id) ON DELETE CASCADE,
    state         TEXT    NOT NULL DEFAULT 'running'
                  CHECK (state IN ('running', 'done', 'cancelled', 'failed')),
    error         TEXT,
    rounds        INTEGER NOT NULL DEFAULT 0,
    first_message INTEGER NOT NULL DEFAULT 0,  -- messages.id of the user's message
    bytes         INTEGER NOT NULL DEFAULT 0,  -- of all its messages, so that a window is found without reading them
    began_at      INTEGER NOT NULL,
    ended_at      INTEGER
) STRICT;
CREATE INDEX turns_of_session ON turns (session_id, id);

CREATE TABLE messages (
    id         INTEGER PRIMARY KEY,   -- rises within a session: a turn's messages are those from its first to the next turn's first
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    body       TEXT    NOT NULL
) STRICT;
CREATE INDEX messages_of_session ON messages (session_id, id);

CREATE TABLE calls (
    id         INTEGER PRIMARY KEY,
    turn_id    INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    round      INTEGER NOT NULL,
    call_id    TEXT    NOT NULL,      -- unique within a round only: some servers count from zero in each
    tool       TEXT    NOT NULL,
    arguments  TEXT    NOT NULL,
    read_only  INTEGER NOT NULL,
    verdict    TEXT,                  -- none while nothing is known of its end
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    UNIQUE (turn_id, round, call_id)
) STRICT;

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id   INTEGER REFERENCES sessions (id) ON DELETE CASCADE,
    channel      TEXT    NOT NULL,
    chat_id      TEXT    NOT NULL,
    text         TEXT    NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'undeliverable')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    last_error   TEXT,
    created_at   INTEGER NOT NULL,
    delivered_at INTEGER
) STRICT;
CREATE INDEX outbox_pending ON outbox (channel, id) WHERE state = 'pending';

CREATE TABLE approvals (
    name               TEXT    PRIMARY KEY,
    component_digest   TEXT    NOT NULL,
    definitions_digest TEXT    NOT NULL,
    path               TEXT,
    grants             TEXT    NOT NULL,
    approved_at        INTEGER NOT NULL,
    revoked_at         INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE tool_grants (
    tool   TEXT PRIMARY KEY,
    grants TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms     INTEGER NOT NULL,
    session     TEXT    NOT NULL,
    component   TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    tool        TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    duration_us INTEGER NOT NULL
) STRICT;
