CREATE TABLE skills (
    name        TEXT    NOT NULL,
    digest      TEXT    NOT NULL,          -- of the whole package
    version     TEXT    NOT NULL,          -- empty: it states none
    engine      TEXT    NOT NULL,          -- of a script; empty: it has none
    file        TEXT    NOT NULL,          -- of the component or the script; empty: it has no code
    code        TEXT    NOT NULL,          -- digest of that file
    definitions TEXT    NOT NULL,          -- digest of what its tools say of themselves
    source      TEXT    NOT NULL,          -- where it came from
    asked       TEXT    NOT NULL,          -- grants, JSON
    limits      TEXT    NOT NULL,          -- of its calls, JSON; empty: the defaults
    granted     TEXT,                      -- grants, JSON; none: nobody has decided
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'active', 'retired', 'refused', 'revoked')),
    added_at    INTEGER NOT NULL,
    decided_at  INTEGER,
    PRIMARY KEY (name, digest)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX skills_active ON skills (name) WHERE state = 'active';
CREATE UNIQUE INDEX skills_waiting ON skills (name) WHERE state = 'waiting';

CREATE TABLE publishers (
    name  TEXT NOT NULL PRIMARY KEY,       -- of the skill
    key   TEXT NOT NULL,                   -- that its versions are signed with; empty: they are not
    floor TEXT NOT NULL                    -- the highest version that was approved
) STRICT, WITHOUT ROWID;

ALTER TABLE jobs ADD COLUMN component TEXT NOT NULL DEFAULT '';  -- that made it; empty: a person
CREATE INDEX jobs_of_component ON jobs (component) WHERE component != '';
CREATE INDEX audit_of_component ON audit (component, time_ms);
