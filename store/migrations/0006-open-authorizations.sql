-- How many authorizations of an account are open is counted from the index alone: it is asked in the one writer, for each order.

DROP INDEX authorization_open;
CREATE INDEX authorization_open ON authorization (account, expires_at) WHERE state IN ('pending', 'processing');
