"""A restore is killed at each rename and at each sync that it makes: the next start finds what was there, or what came, and all of it."""

import json
import os
import shutil
import subprocess

from gateway import CERTGATE, DATA, WORK, Gateway, check

KEPT, BACKUP, TRACE = os.path.join(WORK, "kept"), os.path.join(WORK, "backup.tar"), os.path.join(WORK, "trace.txt")
MOST_STEPS = 200


def restore(call, number):
    """Kills it at the call of this number; was it killed? `when` counts for each thread: all of this is done by one."""
    strace = ["strace", "-f", "-o", TRACE, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
    command = [*strace, CERTGATE, "--data-dir", DATA, "restore", BACKUP, "--replace", "--accept-loss"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    check(done.returncode in (0, -9, 137), f"restore under strace: {done}")
    return done.returncode != 0


def users(gateway):
    return {item["name"] for item in gateway.admin("est", "user", "list")["items"]}


def run():
    gateway = Gateway("")
    gateway.admin("est", "user", "add", "before")
    gateway.admin("backup", BACKUP)
    gateway.admin("est", "user", "add", "after")
    serial = gateway.admin("cert", "list")["items"][0]["serial"]
    gateway.admin("cert", "revoke", serial)
    gateway.process.terminate()
    check(gateway.process.wait(30) == 0, "the gateway did not end well")
    shutil.copytree(DATA, KEPT, ignore=lambda _, names: [name for name in names if name.endswith(".sock")])
    ends = {"what was there": 0, "what came": 0}
    for call in ["rename", "fsync"]:
        for number in range(1, MOST_STEPS):
            shutil.rmtree(DATA)
            shutil.copytree(KEPT, DATA)
            was_killed = restore(call, number)
            gateway.start()
            gateway.kills += was_killed
            found = users(gateway)
            check(found in ({"first-device", "before", "after"}, {"first-device", "before"}), f"{call} {number}: users {found}")
            ends["what was there" if "after" in found else "what came"] += 1
            shown = gateway.admin("cert", "show", serial)
            check(shown["status"] == "revoked", f"{call} {number}: what was revoked is {shown['status']}")
            check(gateway.admin("audit", "verify")["ok"], f"{call} {number}: the audit trail")
            gateway.process.terminate()
            check(gateway.process.wait(30) == 0, f"{call} {number}: the gateway did not end well")
            left = [name for name in os.listdir(DATA) if name.startswith("restore.")]
            check(not left, f"{call} {number}: {left} was left")
            if not was_killed:
                check("after" not in found, "a restore that was not killed has changed nothing")
                break
        else:
            raise SystemExit(f"{MOST_STEPS} times {call}, and no end")
    check(all(ends.values()), f"{ends}: killed on one side of the decision only")
    print(f"{gateway.kills} kills; {json.dumps(ends)}")


run()
