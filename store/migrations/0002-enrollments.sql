-- Enrollments that wait for a person, and what came of them; credentials that are good for a number of certificates; principals whose
-- certificates were ended. Times are milliseconds since 1970-01-01T00:00:00Z.

-- SHA-256 of the subject that was asked for, as a set; NULL for certgate's own and for those of before this column.
ALTER TABLE certificate ADD COLUMN asked_subject BLOB;

-- secret_kind is 'sha256' (32 octets) or 'argon2id' (PHC string).
ALTER TABLE est_user ADD COLUMN uses INTEGER;      -- certificates that are left; NULL is without bound
ALTER TABLE est_user ADD COLUMN id INTEGER NOT NULL DEFAULT 0;     -- random: another one for each credential that is added

CREATE TABLE ended_principal (
    name        TEXT    NOT NULL PRIMARY KEY,
    up_to       INTEGER NOT NULL                   -- its certificates up to this id authenticate nobody; no clock is asked
) STRICT, WITHOUT ROWID;

CREATE TABLE enrollment (
    number      INTEGER PRIMARY KEY,               -- in the order of commits
    id          TEXT    NOT NULL UNIQUE,           -- 32 hex digits
    protocol    TEXT    NOT NULL,
    endpoint    TEXT    NOT NULL,
    operation   TEXT    NOT NULL,                  -- 'enroll' or 'renew'
    principal   TEXT    NOT NULL,
    info_sha256 BLOB    NOT NULL,                  -- certificationRequestInfo without challengePassword
    profile     TEXT    NOT NULL,
    authority   TEXT    NOT NULL,
    grants      TEXT    NOT NULL,                  -- JSON array of name patterns
    credential  INTEGER,                           -- id of the credential that authenticated it, or grants it more names
    voucher     BLOB,                              -- serial number of the certificate that authenticated it
    renews      BLOB,                              -- serial number of the certificate that is to be renewed
    may_omit    INTEGER NOT NULL,                  -- 1: a CSR without subjectAltName keeps that certificate's names
    csr         BLOB    NOT NULL,
    csr_sha256  BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    state       TEXT    NOT NULL,                  -- pending, approved, issued, denied, failed
    changed_at  INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    serial      BLOB                               -- of the certificate that was issued
) STRICT;

CREATE INDEX enrollment_by_key ON enrollment (info_sha256, principal);
CREATE INDEX enrollment_by_csr ON enrollment (csr_sha256);
CREATE INDEX enrollment_waiting ON enrollment (principal) WHERE state IN ('pending', 'approved');
CREATE INDEX enrollment_by_state ON enrollment (state);
