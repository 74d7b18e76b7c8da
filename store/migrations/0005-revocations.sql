-- What a revocation says beside its time and its reason.

ALTER TABLE certificate ADD COLUMN invalid_since INTEGER;  -- invalidityDate, seconds since 1970-01-01T00:00:00Z
