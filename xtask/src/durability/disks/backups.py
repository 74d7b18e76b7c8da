"""Backups are made while devices enroll, and nobody waits for them; each has all that was told before it began."""

import json
import os
import sqlite3
import subprocess
import threading
import time

from device import Device, serial_in
from gateway import CERTGATE, DATA, WORK, Gateway, check

DEVICES = 4
# For how long one backup is made after the other, and how many enrollments are to come through meanwhile.
SECONDS, FEWEST = 6, 20
# How many answers of a device are looked for in a backup.
SAMPLE = 25
# How long the slowest answer may take while a backup is made: the machine is shared.
MOST_WAITED = 2.0


class Load:
    def __init__(self, devices):
        self.is_over, self.taken, self.failures = False, [], []
        self.threads = [threading.Thread(target=self.run, args=(device,), daemon=True) for device in devices]
        for thread in self.threads:
            thread.start()

    def run(self, device):
        while not self.is_over:
            began = time.monotonic()
            status, _ = device.enroll()
            self.taken.append((began, time.monotonic() - began))
            if status != 200:
                self.failures.append(status)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def known(backup):
    """The serial numbers that a backup has, in a place of its own."""
    place = f"{backup}.d"
    subprocess.run([CERTGATE, "--data-dir", place, "restore", backup], check=True, capture_output=True)
    with sqlite3.connect(os.path.join(place, "ledger.db")) as ledger:
        serials = {serial.hex().lstrip("0") for (serial,) in ledger.execute("SELECT serial FROM certificate")}
    checked = subprocess.run([CERTGATE, "--data-dir", place, "--output", "json", "ledger", "check"], check=True, capture_output=True)
    check(json.loads(checked.stdout)["ok"], f"ledger check: {checked.stdout}")
    return serials


def run():
    gateway = Gateway("")
    devices = [Device(gateway, f"load-{number}.example.com") for number in range(DEVICES)]
    load = Load(devices)
    time.sleep(2)
    backups, while_made = [], []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        told = [len(device.answers) for device in devices]
        began = time.monotonic()
        backup = os.path.join(WORK, f"{len(backups)}.tar")
        gateway.admin("backup", backup)
        while_made.append((began, time.monotonic()))
        backups.append((backup, told))
        time.sleep(0.1)
    load.end()
    check(not load.failures, f"{len(load.failures)} enrollments failed: {load.failures[:3]}")
    meanwhile = [took for began, took in load.taken if any(first <= began <= last for first, last in while_made)]
    others = sorted(took for began, took in load.taken if not any(first <= began <= last for first, last in while_made))
    check(len(meanwhile) >= FEWEST, f"{len(meanwhile)} enrollments while backups were made")
    check(max(meanwhile) < MOST_WAITED, f"an enrollment took {max(meanwhile):.3f} s while a backup was made")
    for backup, told in (backups[0], backups[-1]):
        found = known(backup)
        for device, count in zip(devices, told):
            # The last ones are those that could be missing.
            serials = [serial_in(answer) for answer in device.answers[max(0, count - SAMPLE) : count]]
            missing = [serial for serial in serials if serial.lstrip("0") not in found]
            check(not missing, f"{backup} has not {missing[:3]}, which had been told before it began")
    gateway.finish()
    meanwhile.sort()
    print(f"{len(backups)} backups in {sum(last - first for first, last in while_made):.1f} s; {len(meanwhile)} enrollments meanwhile, median"
          f" {meanwhile[len(meanwhile) // 2] * 1000:.1f} ms, longest {meanwhile[-1] * 1000:.1f} ms; else {len(others)}, median"
          f" {others[len(others) // 2] * 1000:.1f} ms, longest {others[-1] * 1000:.1f} ms")


run()
