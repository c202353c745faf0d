ALTER TABLE inbox ADD COLUMN turn_id INTEGER REFERENCES turns (id) ON DELETE CASCADE;  -- the running turn it joined
CREATE INDEX inbox_joined ON inbox (turn_id) WHERE turn_id IS NOT NULL;
-- so that a session is removed without reading those of others
CREATE INDEX inbox_of_session ON inbox (session_id);
CREATE INDEX outbox_of_session ON outbox (session_id) WHERE session_id IS NOT NULL;

ALTER TABLE sessions ADD COLUMN model TEXT;  -- none: the configured one

ALTER TABLE messages ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
-- only for the next statement: a message's turn is the last that begins at it or before
CREATE INDEX turns_by_message ON turns (session_id, first_message);
UPDATE messages SET at = coalesce((
    SELECT began_at FROM turns WHERE turns.session_id = messages.session_id AND first_message <= messages.id
    ORDER BY first_message DESC LIMIT 1), 0);
DROP INDEX turns_by_message;

-- The text of what was said, found by its words; which session it is in is a word too, so that a search stays in it.
CREATE VIRTUAL TABLE recall USING fts5 (
    text, session, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2");
INSERT INTO recall (recall, rank) VALUES ('rank', 'bm25(1.0, 0.0)');
CREATE TRIGGER messages_forgotten AFTER DELETE ON messages BEGIN
    DELETE FROM recall WHERE rowid = old.id;
END;

CREATE TABLE summaries (
    session_id INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    through    INTEGER NOT NULL,          -- turns.id: no request holds this turn or an older one
    body       TEXT                       -- what requests hold instead; none after a reset
) STRICT;

CREATE TABLE spending (
    session_id   INTEGER REFERENCES sessions (id) ON DELETE CASCADE,  -- none: of all sessions, also those deleted
    quarter      INTEGER NOT NULL,        -- quarters of an hour since 1970, so that every zone's day begins with one
    model        TEXT    NOT NULL,
    requests     INTEGER NOT NULL,
    input        INTEGER NOT NULL,
    cached       INTEGER NOT NULL,
    output       INTEGER NOT NULL,
    reasoning    INTEGER NOT NULL,
    microdollars INTEGER NOT NULL,
    unpriced     INTEGER NOT NULL         -- requests whose price is not known
) STRICT;
CREATE UNIQUE INDEX spending_sums ON spending (coalesce(session_id, 0), quarter, model);
CREATE INDEX spending_of_session ON spending (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE revisions (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    file   TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    text   TEXT    NOT NULL
) STRICT;
CREATE INDEX revisions_of_file ON revisions (file, id);

ALTER TABLE turns ADD COLUMN starts INTEGER NOT NULL DEFAULT 1;  -- how often it was begun or gone on with
ALTER TABLE sessions ADD COLUMN consolidated INTEGER NOT NULL DEFAULT 0;  -- turns.id: what was said until then is in the memory
-- what was said before this format is not gone through: that would be dear, and the days are long past
UPDATE sessions SET consolidated = coalesce((SELECT max(id) FROM turns WHERE session_id = sessions.id), 0);
CREATE INDEX sessions_rested ON sessions (updated_at);
CREATE INDEX audit_of_session ON audit (session, time_ms);
CREATE INDEX jobs_of_origin ON jobs (origin);
