-- Certificates of authorities that were taken over, of which nothing is known but that a CRL has named them: revoked or on hold. Whoever has
-- the certificate itself imports it, and the row goes into certificate.
-- Times are seconds since 1970-01-01T00:00:00Z, but for changed_at, which has milliseconds.

CREATE TABLE listed_certificate (
    authority     TEXT    NOT NULL,
    serial        BLOB    NOT NULL,
    shard         INTEGER NOT NULL,            -- this and what follows: as in certificate
    not_after     INTEGER NOT NULL,            -- of the authority
    no_rev_avail  INTEGER NOT NULL,
    status        INTEGER NOT NULL,
    reason        INTEGER,
    changed_at    INTEGER,
    invalid_since INTEGER,
    PRIMARY KEY (authority, serial)
) STRICT, WITHOUT ROWID;

CREATE INDEX listed_certificate_by_serial ON listed_certificate (serial);

-- The last CRLs that authorities have made before they were taken over; the greatest number counts.
CREATE TABLE imported_crl (
    authority   TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    imported_at INTEGER NOT NULL,              -- milliseconds since 1970-01-01T00:00:00Z
    PRIMARY KEY (authority, number)
) STRICT, WITHOUT ROWID;
