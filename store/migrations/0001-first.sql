-- The first shape of the ledger. Migrations are append-only: this file never changes once it was released.
-- Times are milliseconds since 1970-01-01T00:00:00Z; of certificates' validity, seconds.

CREATE TABLE certificate (
    id          INTEGER PRIMARY KEY,           -- in the order of commits
    serial      BLOB    NOT NULL,              -- content octets of the INTEGER
    authority   TEXT    NOT NULL,
    profile     TEXT    NOT NULL,
    protocol    TEXT    NOT NULL,
    endpoint    TEXT    NOT NULL,
    principal   TEXT    NOT NULL,
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    shard       INTEGER NOT NULL,              -- which of the authority's CRLs lists it
    issued_at   INTEGER NOT NULL,
    status      INTEGER NOT NULL DEFAULT 0,    -- 0 valid, 1 held, 2 revoked
    reason      INTEGER,                       -- CRLReason of a revoked one
    changed_at  INTEGER,                       -- since when it is held or revoked
    der         BLOB    NOT NULL
) STRICT;

-- Serial numbers begin with the time, so the index grows at its end.
CREATE UNIQUE INDEX certificate_by_serial ON certificate (serial, authority);
CREATE INDEX certificate_by_principal ON certificate (principal);

CREATE TABLE est_user (
    name        TEXT    NOT NULL,
    endpoint    TEXT    NOT NULL,
    secret_kind TEXT    NOT NULL,              -- 'sha256'
    secret      BLOB    NOT NULL,
    allow       TEXT    NOT NULL,              -- JSON array of name patterns
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    PRIMARY KEY (name, endpoint)
) STRICT, WITHOUT ROWID;

-- Every base URL that an authority has written into certificates; the newest row counts.
CREATE TABLE base_url (
    id          INTEGER PRIMARY KEY,
    authority   TEXT    NOT NULL,
    url         TEXT    NOT NULL,
    since       INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    number      INTEGER PRIMARY KEY,           -- from 1, without gaps
    at          INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    details     TEXT    NOT NULL,              -- JSON object, as it was hashed
    hash        BLOB    NOT NULL               -- SHA-256 over the hash before and this event
) STRICT;

-- The trail only grows. Whoever can drop these triggers can rewrite the chain too, but not its published heads.
CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
