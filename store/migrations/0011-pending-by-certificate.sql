-- How many requests of a principal wait is counted for each certificate that authenticates it: a fleet, or all devices of a CA that was taken
-- over, may be one principal.

DROP INDEX enrollment_waiting;
CREATE INDEX enrollment_waiting ON enrollment (principal, voucher) WHERE state IN ('pending', 'approved');
