"""Fills the ledger of a gateway that is stopped with requests that wait for a person, and with certificates that are revoked: `waiting.py LEDGER
COUNT REVOKED`.

Each request is a copy of one that waits already, of another principal and with another key, as far as the ledger can tell. Of what is revoked it
has what a CRL names.
"""

import hashlib
import sqlite3
import sys

OWN = ("number", "id", "principal", "info_sha256", "csr_sha256")
# So many of one principal may wait.
EACH = 32


def copies(pattern, names, count):
    for number in range(count):
        digest = hashlib.sha256(str(number).encode()).digest()
        own = {"number": None, "id": digest.hex()[:32], "principal": f"device-{number // EACH}", "info_sha256": digest, "csr_sha256": digest}
        yield [own.get(name, value) for name, value in zip(names, pattern)]


def revoked(count, at):
    """authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at, invalid_since: long good, revoked, keyCompromise"""
    for number in range(count):
        serial = (0x40 << 120) + number
        yield ["default", serial.to_bytes(16, "big"), 0, at // 1000 + 86_400 * 365, 0, 2, 1, at, None]


def main():
    path, count, ended = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ledger = sqlite3.connect(path)
    # Nothing here has to survive a crash; the gateway sets its own modes again.
    ledger.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")
    found = ledger.execute("SELECT * FROM enrollment WHERE state = 'pending' LIMIT 1")
    names, pattern = [column[0] for column in found.description], found.fetchone()
    assert pattern and set(OWN) <= set(names), names
    with ledger:
        ledger.executemany(f"INSERT INTO enrollment VALUES ({', '.join('?' * len(names))})", copies(pattern, names, count))
        columns = "authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at, invalid_since"
        at = ledger.execute("SELECT max(issued_at) FROM certificate").fetchone()[0]
        for table in ("listed_certificate", "status_change"):
            ledger.executemany(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * 9)})", revoked(ended, at))
    ledger.close()


main()
