-- Certificates of authorities that a CA outside of this ledger has signed; the newest row counts. Times are milliseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE authority_certificate (
    id          INTEGER PRIMARY KEY,
    authority   TEXT    NOT NULL,
    imported_at INTEGER NOT NULL,
    der         BLOB    NOT NULL
) STRICT;
