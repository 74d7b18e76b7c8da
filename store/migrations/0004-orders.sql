-- Accounts of ACME, their orders, and the authorizations that those need. Times are milliseconds since 1970-01-01T00:00:00Z.

ALTER TABLE enrollment ADD COLUMN account INTEGER;  -- id of the account that has authenticated it

CREATE TABLE account (
    id          INTEGER PRIMARY KEY,               -- random
    endpoint    TEXT    NOT NULL,
    thumbprint  TEXT    NOT NULL,                  -- of its key, RFC 7638
    public_key  BLOB    NOT NULL,                  -- SubjectPublicKeyInfo, DER
    contact     TEXT    NOT NULL,                  -- JSON array of URLs
    created_at  INTEGER NOT NULL,
    is_valid    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX account_by_key ON account (thumbprint, endpoint);

CREATE TABLE acme_order (
    number      INTEGER PRIMARY KEY,               -- in the order of commits
    id          TEXT    NOT NULL UNIQUE,           -- 32 hex digits
    endpoint    TEXT    NOT NULL,
    account     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE authorization (
    number      INTEGER PRIMARY KEY,               -- in the order of commits
    id          TEXT    NOT NULL UNIQUE,           -- 32 hex digits
    order_id    TEXT    NOT NULL,
    endpoint    TEXT    NOT NULL,
    account     INTEGER NOT NULL,
    name        TEXT    NOT NULL,                  -- 'dns:a.example' or 'ip:192.0.2.1'
    token       TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    state       TEXT    NOT NULL,                  -- pending, processing, valid, invalid
    changed_at  INTEGER NOT NULL,
    error_kind  TEXT,
    error       TEXT
) STRICT;

CREATE INDEX authorization_by_order ON authorization (order_id);
CREATE INDEX authorization_open ON authorization (account) WHERE state IN ('pending', 'processing');
