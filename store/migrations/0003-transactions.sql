-- Requests that their senders ask about by a name; challenges of SCEP. Times are milliseconds since 1970-01-01T00:00:00Z.

ALTER TABLE enrollment ADD COLUMN transaction_name TEXT NOT NULL DEFAULT '';      -- '' where there is none
ALTER TABLE enrollment ADD COLUMN challenge INTEGER;    -- id of the challenge that authenticated it

CREATE INDEX enrollment_by_transaction ON enrollment (transaction_name, endpoint) WHERE transaction_name <> '';

CREATE TABLE scep_challenge (
    id          INTEGER PRIMARY KEY,               -- random
    principal   TEXT    NOT NULL UNIQUE,
    endpoint    TEXT    NOT NULL,
    sha256      BLOB    NOT NULL,                  -- of its text, which has 128 random bits
    subject     BLOB,                              -- Name, DER; NULL leaves it to the profile
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    uses        INTEGER NOT NULL                   -- certificates that are left
) STRICT;

CREATE UNIQUE INDEX scep_challenge_by_text ON scep_challenge (sha256, endpoint);
CREATE INDEX scep_challenge_by_end ON scep_challenge (expires_at);
