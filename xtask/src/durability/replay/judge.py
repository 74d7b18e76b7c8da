"""What a data directory has to be after a power cut, by what somebody was told before it."""

import base64
import hashlib
import json
import os
import sqlite3
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import serialization

import acme_steps
import play
from gateway import CERTGATE, DATA, check
from wire import REVOKED, Connection, Crl, Questions

ABSENT = None
# What is not renamed into place: SQLite's files, lines that are appended, a lock.
GROWS = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal", "audit.heads", "lock")
# What a restore of an older ledger brings along from the newer one.
CARRIED = ("certificate", "status", "crl")
# What the ledger says of a thing of each kind, by what tells it from others.
QUESTIONS = {
    "certificate": "SELECT serial, der FROM certificate",
    "status": "SELECT serial, status FROM certificate",
    "user": "SELECT name, secret FROM est_user",
    "uses": "SELECT name, uses FROM est_user",
    "challenge": "SELECT sha256, uses FROM scep_challenge",
    "account": "SELECT thumbprint, is_valid FROM account",
    "order": "SELECT id, 1 FROM acme_order",
    "authorization": "SELECT id, state FROM authorization",
    "enrollment": "SELECT id, state FROM enrollment",
    "crl": "SELECT authority, max(number) FROM crl GROUP BY authority",
}
# What goes through steps may be further than was told.
STEPS = {
    "authorization": ["pending", "processing", "valid"],
    "enrollment": ["pending", "approved", "issued"],
}
# Whom a first start makes a credential for.
NAME = "first-device"


def is_as_told(kind, said, allowed):
    if not allowed:
        return True
    if kind == "crl":
        return (said or 0) >= min(allowed)
    if kind in STEPS:
        return said in STEPS[kind] and STEPS[kind].index(said) >= min(map(STEPS[kind].index, allowed))
    return said in allowed


class Ledger:
    """What is in a ledger, as anybody may read who has SQLite."""

    def __init__(self, data):
        with sqlite3.connect(os.path.join(data, "ledger.db")) as ledger:
            self.says = {kind: dict(map(plain(kind), ledger.execute(question))) for kind, question in QUESTIONS.items()}
            self.heads = dict(ledger.execute("SELECT number, hex(hash) FROM audit"))
        ledger.close()


def plain(kind):
    def read(row):
        key, value = row
        if kind in ("certificate", "status"):
            key = int.from_bytes(key, "big")
        if isinstance(key, bytes):
            key = key.hex()
        if isinstance(value, bytes):
            value = hashlib.sha256(value).hexdigest() if kind == "certificate" else value.hex()
        return key, value

    return read


class Judge:
    """Knows what was told, and what became of files meanwhile."""

    def __init__(self, notes, versions, restored):
        """From the line `restored` on a restore is under way, or was done."""
        self.notes, self.versions, self.restored = notes, versions, restored
        pem, _ = acme_steps.csr_for(NAME)
        self.request = base64.b64encode(x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER))

    def judge(self, cut, place, by_start):
        cut.put(place)
        data = os.path.join(place, os.path.basename(DATA))
        if cut.line < self.restored:
            self.judge_files(cut, data)
        if by_start:
            self.judge_start(cut, data)
        self.judge_ledger(cut, data)

    def judge_files(self, cut, data):
        """Each is whole: one that was put there, and not one from before the last that a gateway had when it was ready."""
        ready = max((line for line in self.notes.ready if line <= cut.line), default=-1)
        for path, versions in self.versions.items():
            name = os.path.relpath(path, DATA)
            if name in GROWS or name.endswith(".new"):
                continue
            begun = [(end, content) for begin, end, content in versions if begin <= cut.line]
            known = max((number for number, (end, _) in enumerate(begun) if end <= ready), default=-1)
            allowed = [content for _, content in begun[max(known, 0) :]] + [ABSENT] * (known < 0)
            found = read(os.path.join(data, name))
            check(found in allowed, f"{cut}: {name} is {describe(found)}")

    def judge_ledger(self, cut, data):
        """It is whole, and says what was told; what was signed of its trail is in it."""
        done = command(data, "ledger", "check")
        check(done.returncode == 0 and json.loads(done.stdout)["ok"], f"{cut}: ledger check: {done.stdout}{done.stderr}")
        ledger = Ledger(data)
        for thing in self.notes.told_of:
            kind, key = thing
            if cut.line >= self.restored and kind not in CARRIED:
                continue
            said, allowed = ledger.says[kind].get(key), self.notes.allowed(thing, cut.line)
            check(is_as_told(kind, said, allowed), f"{cut}: {kind} {key} is {said}, and was told to be {allowed}")
        if cut.line < self.restored:
            for line in (read(os.path.join(data, "audit.heads")) or b"").split(b"\n")[:-1]:
                events, head = read_head(line)
                check(ledger.heads.get(events) == head, f"{cut}: the trail has not the head that was signed at {events} events")

    def judge_start(self, cut, data):
        """It starts, and serves: OCSP, CRLs, the trail; after a first start that was cut short a first device too."""
        is_first = all(line > cut.line for line in self.notes.ready)
        keys = self.keys(data) if not is_first and cut.line < self.restored else None
        log = os.path.join(os.path.dirname(data), "log")
        free = [word for kind in ("https", "http", "ops") for word in (f"--{kind}", "127.0.0.1:0")]
        with open(log, "w") as errors:
            start = [CERTGATE, "--config", play.CONFIG_FILE, "--data-dir", data, "serve", *free]
            process = subprocess.Popen(start, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            is_ready = any(line == "certgate ready\n" for line in process.stdout)
            check(is_ready, f"{cut}: a start: {(read(log) or b'').decode()[-1000:]}")
            self.judge_service(cut, data, is_first, keys)
            process.terminate()
            check(process.wait(play.PATIENCE) == 0, f"{cut}: it did not end well")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def judge_service(self, cut, data, is_first, keys):
        with open(os.path.join(data, "run.json")) as file:
            run = json.load(file)
        done = command(data, "audit", "verify")
        check(done.returncode == 0 and json.loads(done.stdout)["ok"], f"{cut}: audit verify: {done.stdout}{done.stderr}")
        if is_first:
            self.judge_first_device(cut, data, run)
        check(keys in (None, self.keys(data)), f"{cut}: another key or another authority was made")
        self.judge_revoked(cut, data, run["http"][0])

    def keys(self, data):
        """The keys that are there, and the certificates of authorities."""
        found = {}
        for folder in ("ca", "ra", "ocsp", "."):
            path = os.path.join(data, folder)
            for name in os.listdir(path):
                if name.endswith(".key") or folder == "ca" and name.endswith(".pem"):
                    found[f"{folder}/{name}"] = read(os.path.join(path, name))
        return found

    def judge_first_device(self, cut, data, run):
        words = (read(os.path.join(data, "first-device.netrc")) or b"").decode().split()
        credentials = dict(zip(words[::2], words[1::2]))
        authorization = base64.b64encode(f"{credentials.get('login')}:{credentials.get('password')}".encode()).decode()
        status, _ = play.ask_est(run["https"][0], os.path.join(data, "ca/root.pem"), "/simpleenroll", self.request, f"Basic {authorization}")
        check(status == 200, f"{cut}: the first device was answered with {status}")

    def judge_revoked(self, cut, data, http):
        """What was revoked is revoked in OCSP, and in the next CRL, which has a number that no other had."""
        allowed = {key: self.notes.allowed((kind, key), cut.line) for kind, key in self.notes.told_of if kind == "status"}
        revoked = [serial for serial, values in allowed.items() if values == [play.REVOKED]]
        with open(os.path.join(data, "ca/default.pem"), "rb") as file:
            der = x509.load_pem_x509_certificate(file.read()).public_bytes(serialization.Encoding.DER)
        public = Connection(http)
        for serial in revoked[:3] + revoked[-3:]:
            said = Questions(der).ask(public, serial)[0][0]
            check(said == REVOKED, f"{cut}: {serial:x} was revoked, and is {said}")
        done = command(data, "crl", "build", "default")
        check(done.returncode == 0, f"{cut}: crl build: {done.stderr}")
        crl = Crl(public.get("/crl/default.crl")[1])
        public.close()
        missing = [serial for serial in revoked if serial not in crl.entries]
        check(not missing, f"{cut}: CRL {crl.number} lacks {missing}")
        told = self.notes.allowed(("crl", "default"), cut.line)
        check(crl.number > min(told, default=0), f"{cut}: CRL {crl.number} comes after {told}")


def command(data, *arguments):
    return subprocess.run([CERTGATE, "--data-dir", data, "--output", "json", *arguments], capture_output=True, text=True)


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return ABSENT


def describe(content):
    return "not there" if content is ABSENT else f"{len(content)} octets that it never had, or has no more"


def read_head(line):
    words = dict(word.split("=") for word in json.loads(line)["statement"].split(" ") if "=" in word)
    return int(words["events"]), words["head"].upper()
