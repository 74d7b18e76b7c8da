"""Nothing but what was synced: a gateway is watched while it serves, and the power goes at each moment that matters."""

import hashlib
import multiprocessing
import os
import random
import tempfile
import threading
import time

from cut import KINDS, Cut, settle
from disk import Disk, read
from gateway import DATA, WORK, check
from judge import Judge
from log import Log
from notes import Notes
from play import BACKUPS, HELD, REVOKED, ROOT, VALID, Acme, Est, Logged, Operator, Scep

STATES, SEED = int(os.environ["STATES"]), int(os.environ["SEED"])
# One state of so many is started from, where the ledger alone tells most.
STARTED = 10
# How many of the states that chance chooses are at the end of a sync.
AT_SYNCS = 0.7
# Enrollments of each device that are not waited for by others.
BUSY = 12
# How many faults are told.
MOST_TOLD = 5
# Syncs that are left out of the log, each kind on its own: whoever judges has to see it.
LEFT_OUT = {
    "of the ledger's journal": lambda node, names: any(name.endswith("-wal") for name in names),
    "of folders": lambda node, names: node.is_folder,
    "of files that are then renamed": lambda node, names: any(name.endswith(".new") for name in names),
}
# In so many states at the most.
TRIED = 20


def all_at_once(works):
    faults = []

    def run(work):
        try:
            work()
        except (Exception, SystemExit) as fault:
            faults.append(f"{fault!r}")

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not faults, "; ".join(faults))


class Story:
    """What happens to a gateway: it is begun, killed, ended, and brought back from a backup."""

    def __init__(self):
        self.gateway = Logged()
        self.notes = Notes(self.gateway.where)
        self.operator = Operator(self.gateway, self.notes)
        self.restored, self.backups = None, []

    def start(self):
        begun = len(self.gateway.logs), 0
        self.gateway.start()
        self.notes.is_ready()
        if begun[0] == 0:
            words = read(os.path.join(DATA, "first-device.netrc")).decode().split()
            self.notes.tell(begun, ("user", "first-device"), hashlib.sha256(words[words.index("password") + 1].encode()).hexdigest())

    def actor(self, kind, *more):
        return kind(self.gateway, self.notes, *more)

    def play(self):
        self.start()
        self.quiet("first")
        self.busy("first")
        self.gateway.kill()
        self.start()
        self.busy("second")
        self.quiet("second")
        self.gateway.stop()
        self.start()
        self.quiet("third")
        self.revoke_after_backup()
        self.gateway.stop()
        self.gateway.restore(self.backups[-1][0])
        self.restored = len(self.gateway.read) - 1
        self.start()
        self.actor(Est, "last.example.com").enrolls()
        self.gateway.stop()

    def quiet(self, name):
        """One thing after the other, so that nothing else brings it to the disk."""
        device, operator = self.actor(Est, f"{name}.example.com"), self.operator
        serials = [device.enrolls() for _ in range(6)]
        for serial in serials[:2]:
            operator.change(serial, "revoke", REVOKED)
        for serial in serials[2:4]:
            operator.change(serial, "hold", HELD)
        operator.change(serials[3], "release", VALID)
        operator.builds_crl()
        self.actor(Scep).enrolls(f"scep-{name}.example.com")
        self.actor(Acme).enrolls(f"acme-{name}.example.com")
        manual = self.actor(Est, f"manual-{name}.example.com", "manual")
        operator.approves(manual)
        manual.enrolls()
        self.actor(Est, f"waiting-{name}.example.com", "manual").waits()
        device.is_removed()
        self.backups.append(operator.backs_up(f"{name}.tar"))

    def busy(self, name):
        """All at once: what is synced is synced for many."""
        devices = [self.actor(Est, f"{name}-{number}.example.com") for number in range(4)]
        serials = [devices[0].enrolls() for _ in range(BUSY)]

        def operate():
            for serial in serials:
                self.operator.change(serial, "revoke", REVOKED)
            self.operator.builds_crl()

        def enroll(device):
            for _ in range(BUSY):
                device.enrolls()

        works = [lambda device=device: enroll(device) for device in devices]
        works += [operate, lambda: self.actor(Scep).enrolls(f"busy-{name}.example.com")]
        works += [lambda: self.actor(Acme).enrolls(f"order-{name}.example.com")]
        all_at_once(works)

    def revoke_after_backup(self):
        """What the ledger of the backup does not know, and brings along when it takes the place of this one."""
        device = self.actor(Est, "carried.example.com")
        self.operator.change(device.enrolls(), "revoke", REVOKED)
        device.enrolls()


def edges(disk):
    """The ends of all syncs, and the lines before them."""
    folders = {folder for change in disk.changes for folder, _, _ in change.names}
    ends = {end for node in [*disk.files, *folders] for _, end in node.syncs}
    return sorted(ends | {end - 1 for end in ends})


def choose(story):
    """Which states are judged: the line, what is left of what was not synced, chance, and whether a gateway is started from it."""
    chance, logs = random.Random(SEED), story.gateway.read
    first, restore = story.notes.ready[0], logs[story.restored]

    def state(line, kind):
        is_odd = line <= first or restore.first <= line <= restore.last
        return line, kind, chance.random(), is_odd or chance.randrange(STARTED) == 0

    # Somebody was told something, and nothing is left but what was synced.
    chosen = [state(line, "nothing") for line in story.notes.lines()]
    synced = edges(story.gateway.disk)
    while len(chosen) < STATES:
        line = chance.choice(synced) if chance.random() < AT_SYNCS else chance.randrange(logs[-1].last)
        chosen.append(state(line, chance.choice(KINDS)))
    return chosen


def judge_one(state):
    """What is wrong with a state, if anything is."""
    line, kind, seed, by_start = state
    cut = Cut(JUDGED["disk"], line, kind, seed)
    with tempfile.TemporaryDirectory(dir=WORK) as place:
        try:
            JUDGED["judge"].judge(cut, place, by_start)
        except SystemExit as fault:
            return str(fault)
        except Exception as fault:
            return f"{cut}: {fault!r}"
    return None


# Workers have it from the process that they are made from.
JUDGED = {}


def judge_all(story):
    disk = story.gateway.disk
    story.notes.settle(story.gateway.read)
    settle(disk)
    JUDGED["disk"] = disk
    JUDGED["judge"] = Judge(story.notes, disk.versions, story.gateway.read[story.restored].first)
    chosen = choose(story)
    with multiprocessing.get_context("fork").Pool() as workers:
        judged = zip(chosen, workers.imap(judge_one, chosen, 4))
        faults = [f"{where(story, line)}: {fault}" for (line, *_), fault in judged if fault]
    check(not faults, "\n".join([f"{len(faults)} of {len(chosen)} states:", *faults[:MOST_TOLD]]))
    return chosen


def where(story, line):
    """What was done last."""
    number, log = next((number, log) for number, log in enumerate(story.gateway.read) if line < log.last)
    return f"run {number}, after {log.before(line, DATA)}"


def prove(chosen):
    """It is seen when syncs are left out."""
    disk, ready = JUDGED["disk"], JUDGED["judge"].notes.ready[0]
    names = {}
    for folder, name, node in (named for change in disk.changes for named in change.names):
        names.setdefault(folder, set())
        names.setdefault(node, set()).add(name)
    told = [state for state in chosen if state[1] == "nothing" and state[0] > ready][:TRIED]
    for what, is_left_out in LEFT_OUT.items():
        kept = {node: node.syncs for node, known in names.items() if node and is_left_out(node, known)}
        for node in kept:
            node.syncs = []
        settle(disk)
        check(any(map(judge_one, told)), f"syncs {what} are left out, and nothing is found")
        for node, syncs in kept.items():
            node.syncs = syncs
    settle(disk)


def judge_backup(path, log):
    """A backup is there whole or is not, and is when the command has ended."""
    with open(path, "rb") as file:
        whole = file.read()
    log, disk = Log(log), Disk(BACKUPS, exists=True)
    for call in log.calls:
        disk.take(call)
    settle(disk)
    lines = [*edges(disk), log.last]
    for number, line in enumerate(lines):
        for kind in KINDS:
            cut = Cut(disk, line, kind, number)
            found = cut.read(path)
            check(found == whole or found is None and line < log.last, f"{cut}: {path} is {found and len(found)} octets")
    return len(lines) * len(KINDS)


def main():
    os.environ["REQUESTS_CA_BUNDLE"] = ROOT
    begun, story = time.monotonic(), Story()
    story.play()
    played = time.monotonic()
    told, syncs = sum(map(len, story.notes.told_of.values())), len(edges(story.gateway.disk))
    print(f"{told} times somebody was told something, {syncs} lines of the log at ends of syncs, in {played - begun:.0f} s")
    backups = sum(judge_backup(*backup) for backup in story.backups)
    chosen = judge_all(story)
    prove(chosen)
    started = sum(by_start for *_, by_start in chosen)
    print(f"{len(chosen)} states, {started} of them started from, {backups} of backups, in {time.monotonic() - played:.0f} s")


if __name__ == "__main__":
    main()
