"""Pages of the ledger are overwritten, under a gateway that runs and before a start: it says so, and comes back from a backup."""

import json
import os
import subprocess

from device import Device, all_are_recorded, get, is_ready, ocsp, waits_for
from gateway import CERTGATE, DATA, WORK, Gateway, check

LEDGER, BACKUP = os.path.join(DATA, "ledger.db"), os.path.join(WORK, "backup.tar")
PAGE = 4096


def command(*arguments):
    """Exit code, and what it printed, on whichever of the two."""
    done = subprocess.run([CERTGATE, "--data-dir", DATA, "--output", "json", *arguments], capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout or done.stderr)


def overwrite(first, last):
    with open(LEDGER, "r+b") as file:
        file.seek(first * PAGE)
        file.write(b"\xa5" * (last - first) * PAGE)


def run():
    gateway = Gateway("")
    device = Device(gateway, "damaged.example.com")
    for _ in range(150):
        device.enrolls()
    revoked = device.serials()[0]
    gateway.admin("cert", "revoke", revoked)
    made = gateway.admin("backup", BACKUP)
    before = device.serials()
    # After the backup: what is lost with the ledger.
    for _ in range(5):
        device.enrolls()
    # Folded into the file, and read from there again.
    gateway.process.terminate()
    check(gateway.process.wait(30) == 0, "the gateway did not end well")
    gateway.start()
    pages = os.path.getsize(LEDGER) // PAGE
    overwrite(pages // 2, pages)

    code, said = command("audit", "verify")
    check(code == 1 and "damaged" in said["error"]["message"], f"audit verify: {said}")
    code, said = command("ledger", "check")
    check(code == 1 and not said["ok"] and said["faults"], f"ledger check: {said}")
    code, said = command("backup", os.path.join(WORK, "other.tar"))
    check(code == 1 and not os.path.exists(os.path.join(WORK, "other.tar")), f"a damaged ledger was backed up: {said}")
    # Whoever enrolls has a certificate that is recorded, or is told to come later.
    for _ in range(20):
        status, headers, _ = device.ask()
        check(status == 200 or status == 503 and headers["Retry-After"], f"an enrollment was answered with {status}")
    check(get(gateway.ops, "/healthz")[0] == 200, "/healthz")
    # Not killed: the journal is folded back, so that no page of it hides what is overwritten next.
    gateway.process.terminate()
    gateway.process.wait(30)

    # The first page is the one that every start needs.
    overwrite(0, 1)
    serve = ["serve", "--https", gateway.https, "--http", gateway.http, "--ops", gateway.ops]
    start = subprocess.run([CERTGATE, "--data-dir", DATA, *serve], capture_output=True, text=True, timeout=30)
    check(start.returncode == 1 and "ledger.db is damaged" in start.stderr and "restore" in start.stderr, f"a start: {start}")
    code, said = command("restore", BACKUP, "--replace")
    check(code == 4 and "--accept-loss" in said["error"]["hint"], f"a restore that says nothing of what is lost: {said}")
    code, said = command("restore", BACKUP, "--replace", "--accept-loss")
    check(code == 0, f"restore: {said}")
    gateway.start()
    waits_for(10, lambda: is_ready(gateway), "ready again")
    device.answers = device.answers[: len(before)]
    check(ocsp(gateway, revoked) == "revoked", "what was revoked before the backup")
    check(ocsp(gateway, before[1]) == "good", "what was good")
    verified = gateway.admin("audit", "verify", "--expect-head", made["head"])
    check(verified["ok"], f"audit verify: {verified}")
    device.enrolls()
    count = all_are_recorded(gateway, device)
    gateway.finish()
    print(f"{count} certificates of the backup and after it are recorded")


run()
