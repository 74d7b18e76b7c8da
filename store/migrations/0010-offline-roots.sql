-- Authorities whose key was taken away from this machine, and brought back; the newest row of an authority counts. Times are milliseconds
-- since 1970-01-01T00:00:00Z.

CREATE TABLE authority_key (
    id          INTEGER PRIMARY KEY,
    authority   TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    is_offline  INTEGER NOT NULL               -- 1: from then on the key is elsewhere
) STRICT;
