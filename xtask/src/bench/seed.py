"""Fills the ledger of a gateway that is stopped, from a certificate that it has issued over EST.

    seed.py LEDGER SERIAL issued COUNT      until there are COUNT copies, with 16-octet serial numbers from SERIAL (hexadecimal) on
    seed.py LEDGER SERIAL revoked COUNT     until COUNT of them are revoked, evenly spread

The audit trail is left as it is: a benchmark reads none of it.
"""

import sqlite3
import sys

BATCH = 100_000
KEY_COMPROMISE = 1
COLUMNS = "authority, profile, protocol, endpoint, principal, not_before, not_after, shard, issued_at, der, no_rev_avail"


def serials(first, places):
    return ((first + place).to_bytes(16, "big") for place in places)


def issue(ledger, first, count):
    there = ledger.execute("SELECT count(*) FROM certificate WHERE serial >= ?", [first.to_bytes(16, "big")]).fetchone()[0]
    pattern = ledger.execute(f"SELECT {COLUMNS} FROM certificate WHERE protocol = 'est' LIMIT 1").fetchone()
    insert = f"INSERT INTO certificate (serial, {COLUMNS}) VALUES (?{', ?' * len(pattern)})"
    for start in range(there, count, BATCH):
        batch = serials(first, range(start, min(start + BATCH, count)))
        ledger.executemany(insert, ((serial, *pattern) for serial in batch))


def revoke(ledger, first, count):
    issued, revoked = ledger.execute(
        "SELECT count(*), coalesce(sum(status), 0) / 2 FROM certificate WHERE serial >= ?", [first.to_bytes(16, "big")]
    ).fetchone()
    at = ledger.execute("SELECT max(issued_at) FROM certificate").fetchone()[0]
    wanted = range(0, issued, max(issued // count, 1))[:count]
    ledger.execute("CREATE TEMP TABLE wanted (serial BLOB PRIMARY KEY) WITHOUT ROWID")
    ledger.executemany("INSERT INTO wanted VALUES (?)", ([serial] for serial in serials(first, wanted)))
    chosen = "authority = 'default' AND status = 0 AND serial IN (SELECT serial FROM wanted)"
    changed = ledger.execute(
        f"""INSERT INTO status_change (authority, serial, shard, not_after, no_rev_avail, status, reason, changed_at)
            SELECT authority, serial, shard, not_after, no_rev_avail, 2, {KEY_COMPROMISE}, {at} FROM certificate WHERE {chosen}"""
    ).rowcount
    ledger.execute(f"UPDATE certificate SET status = 2, reason = {KEY_COMPROMISE}, changed_at = {at} WHERE {chosen}")
    assert changed == count - revoked, (changed, count, revoked)


def main():
    path, first, kind, count = sys.argv[1:]
    ledger = sqlite3.connect(path)
    # Nothing here has to survive a crash; the gateway sets its own modes again.
    ledger.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")
    with ledger:
        {"issued": issue, "revoked": revoke}[kind](ledger, int(first, 16), int(count))
    ledger.close()


main()
