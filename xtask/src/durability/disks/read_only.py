"""The file system turns read-only under a gateway that runs, as ext4 does when the disk fails: nobody is told what is not so."""

import os
import subprocess

from device import Device, all_are_recorded, is_ready, refuses_to_enroll, relying_parties_are_served, waits_for
from gateway import CERTGATE, DATA, WORK, Gateway, check


def run():
    gateway = Gateway("")
    device = Device(gateway, "read-only.example.com")
    for _ in range(3):
        device.enrolls()
    good, revoked = device.serials()[:2]
    gateway.admin("cert", "revoke", revoked)
    subprocess.run(["mount", "-o", "remount,abort", DATA], check=True)
    for _ in range(3):
        status, _ = device.enroll()
        check(status == 503, f"an enrollment on a read-only disk was answered with {status}")
    refuses_to_enroll(gateway, device)
    relying_parties_are_served(gateway, good, revoked)
    gateway.kill()
    start = [CERTGATE, "--data-dir", DATA, "serve", "--https", gateway.https, "--http", gateway.http, "--ops", gateway.ops]
    stuck = subprocess.run(start, capture_output=True, text=True, timeout=30)
    check(stuck.returncode == 1 and "ead-only" in stuck.stderr, f"a start on a read-only disk: {stuck}")
    # What an operator does: mend the file system, mount it, start.
    disk = os.path.join(WORK, "disk")
    subprocess.run(["umount", DATA], check=True)
    subprocess.run(["e2fsck", "-p", "-f", disk], capture_output=True)
    subprocess.run(["mount", "-o", "loop", disk, DATA], check=True)
    gateway.start()
    waits_for(10, lambda: is_ready(gateway), "ready again")
    device.enrolls()
    relying_parties_are_served(gateway, good, revoked)
    count = all_are_recorded(gateway, device)
    gateway.finish()
    print(f"{count} certificates were given, and all are recorded")


run()
