-- What relying parties are told: what became of certificates, in the order of commits, and CRLs as they were published.
-- Times are seconds since 1970-01-01T00:00:00Z, but for changed_at, which has milliseconds.

ALTER TABLE certificate ADD COLUMN no_rev_avail INTEGER NOT NULL DEFAULT 0;   -- 1: nobody is told what became of it (RFC 9608)

CREATE TABLE status_change (
    sequence      INTEGER PRIMARY KEY,         -- in the order of commits
    authority     TEXT    NOT NULL,
    serial        BLOB    NOT NULL,
    shard         INTEGER NOT NULL,
    not_after     INTEGER NOT NULL,
    no_rev_avail  INTEGER NOT NULL,
    status        INTEGER NOT NULL,            -- this and what follows: as in certificate
    reason        INTEGER,
    changed_at    INTEGER,
    invalid_since INTEGER
) STRICT;

CREATE INDEX status_change_by_authority ON status_change (authority, sequence);

INSERT INTO status_change (authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at, invalid_since)
    SELECT authority, serial, shard, not_after, 0, status, reason, changed_at, invalid_since
    FROM certificate WHERE status <> 0 ORDER BY changed_at, id;

-- All that a CRL says of a certificate, without the certificate.
CREATE INDEX certificate_not_good ON certificate
    (authority, serial, not_after, shard, no_rev_avail, status, reason, changed_at, invalid_since) WHERE status <> 0;

CREATE TABLE crl (
    id            INTEGER PRIMARY KEY,
    authority     TEXT    NOT NULL,
    shard         INTEGER NOT NULL,            -- 0: all of them
    number        INTEGER NOT NULL,
    base          INTEGER,                     -- BaseCRLNumber of a delta; NULL is a complete list
    this_update   INTEGER NOT NULL,
    next_update   INTEGER NOT NULL,
    sequence      INTEGER NOT NULL,            -- the last status_change that is in it
    entries       INTEGER NOT NULL,
    sha256        BLOB    NOT NULL,            -- of its DER
    is_withdrawn  INTEGER NOT NULL DEFAULT 0   -- 1: it was never served
) STRICT;

CREATE UNIQUE INDEX crl_complete ON crl (authority, shard, number) WHERE base IS NULL;
CREATE UNIQUE INDEX crl_delta ON crl (authority, shard, number) WHERE base IS NOT NULL;
