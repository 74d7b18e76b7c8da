"""CRLs in the race: what each has to say, and whether OCSP, CRLs and acknowledgements agree in the end."""

import base64
import calendar
import glob
import os
import subprocess
import time

from gateway import DATA, WORK, check
from wire import GOOD, HELD, HOLD, REASONS, REVOKED, Connection, Crl

PATHS = ("/crl/default.crl", "/crl/default/delta.crl")
# How long the next CRL may take.
NEXT_CRL = 15
ISSUER, ROOT = (os.path.join(DATA, "ca", name) for name in ("default.pem", "root.pem"))
STATUS = {"valid": GOOD, "held": HELD, "revoked": REVOKED}


def read(answer, path):
    status, der = answer
    check(status != 404, f"{path}: 404, so CRLs are not served")
    check(status == 200, f"{path}: {status}")
    crl = Crl(der)
    check((crl.base is None) == (path == PATHS[0]), f"{path}: is it a delta, or not?")
    return crl


def status_of(entry):
    if entry is None:
        return GOOD
    return HELD if entry[0] == HOLD else REVOKED


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


class Watched:
    """All CRLs that were seen, by kind and number."""

    def __init__(self, race):
        self.race, self.seen, self.highest, self.judged_at = race, {}, 0, {}
        # What is said of those that are revoked, which is for good.
        self.revoked = {}

    def take(self, crl, asked_at, phases):
        """One that was asked for then, and had come when certificates were in these phases."""
        kind = "complete" if crl.base is None else "delta"
        known = self.seen.get((kind, crl.number))
        if known is None:
            check(crl.number >= self.highest, f"{kind} CRL {crl.number} is new, and {self.highest} was seen before")
        else:
            check(crl.number == self.latest(kind), f"{kind} CRL {crl.number} is back after {self.latest(kind)}")
            check(crl.sha256 == known.sha256, f"there are two {kind} CRLs {crl.number}")
            if asked_at < self.judged_at[kind] + NEXT_CRL:
                return
        self.seen[kind, crl.number], self.highest = crl, max(crl.number, self.highest)
        self.judged_at[kind] = asked_at
        entries = crl.entries
        if kind == "delta":
            base = self.seen.get(("complete", crl.base))
            check(base, f"delta {crl.number} is based on {crl.base}, which nobody has seen")
            entries = crl.onto(base)
            complete = self.seen.get(("complete", crl.number))
            check(complete is None or complete.entries == entries, f"delta and complete CRL {crl.number} differ")
        self.judge(f"{kind} CRL {crl.number}", entries, max(seconds(crl.this_update), asked_at - NEXT_CRL), phases)

    def latest(self, kind):
        return max(number for of, number in self.seen if of == kind)

    def judge(self, name, entries, made_at, phases):
        """Whatever was acknowledged before it was made is in it, as it was acknowledged, and nothing that nobody asked for."""
        race, count = self.race, 0
        for index, serial in enumerate(race.serials):
            entry = entries.get(serial)
            status, possible = status_of(entry), race.possible(index, race.phase_at(index, made_at), phases[index])
            check(status in possible, f"{name} has {race.names[index]} as {status}, and it was {possible[0]}")
            count += entry is not None
            if status == REVOKED:
                before = self.revoked.setdefault(serial, entry)
                check(before == entry, f"{name} has {race.names[index]} as {entry}, and one before as {before}")
        check(count == len(entries), f"{name} has {len(entries)} entries, but {count} are of certificates that there are")

    def keep(self):
        """Some of them as files, and how many there were."""
        for (kind, number), crl in self.seen.items():
            if number % 10 == 1:
                with open(os.path.join(WORK, f"{kind}-{number}.crl"), "wb") as file:
                    file.write(crl.der)
        numbers = sorted(number for kind, number in self.seen if kind == "complete")
        with open(os.path.join(WORK, "numbers"), "w") as file:
            file.write(f"{len(self.seen)} CRLs seen with the numbers {numbers[0]} to {numbers[-1]}")


class End:
    """What OCSP and the complete CRL say when nothing changes any more."""

    def __init__(self, race):
        self.race, connection, begun = race, Connection(race.http), time.monotonic()
        self.verdicts = [race.questions.ask(connection, serial)[0] for serial in race.serials]
        while True:
            self.crl = read(connection.get(PATHS[0]), PATHS[0])
            differing = [index for index, verdict in enumerate(self.verdicts) if not self.agree(index, verdict)]
            if not differing:
                break
            is_late = time.monotonic() > begun + NEXT_CRL
            one = differing[0]
            check(not is_late, f"OCSP and CRL {self.crl.number} differ about {len(differing)} certificates, such as "
                  f"{race.names[one]}: {self.verdicts[one]}, {self.entry(one)}")
            time.sleep(0.2)

    def entry(self, index):
        return self.crl.entries.get(self.race.serials[index])

    def agree(self, index, verdict):
        entry = self.entry(index)
        return verdict[1:] == (entry[:2] if entry else (None, None))

    def compare(self, told):
        """With what was acknowledged last, unless more was asked for and never answered."""
        for index, phase in enumerate(self.race.phases):
            status, reason, at = self.verdicts[index]
            possible = self.race.possible(index, phase, phase)
            check(status in possible, f"{self.race.names[index]} is {status} in the end, and was {possible[0]}")
            item = told.get(index)
            if item is None or phase % 2:
                continue
            check(STATUS[item["status"]] == status, f"OCSP says {status} of {item}")
            if status == GOOD:
                continue
            since = self.entry(index)[2]
            expected = (REASONS.get(item["reason"], HOLD), item["revoked_at"][:19], (item["invalidity_date"] or "")[:19])
            check((reason, at, since or "") == expected, f"OCSP and CRL say {reason}, {at}, {since} of {item}")

    def verify(self, gateway):
        """By OpenSSL: certificates with the CRL, and signatures of what was kept."""
        for name in glob.glob(os.path.join(WORK, "*.crl")):
            openssl("crl", "-inform", "DER", "-in", name, "-noout", "-CAfile", ISSUER, says="verify OK")
        issuers = join("issuers.pem", ISSUER, ROOT)
        for name in glob.glob(os.path.join(WORK, "ocsp-*")):
            openssl("ocsp", "-respin", name, "-issuer", ISSUER, "-CAfile", issuers, says="Response verify OK")
        with open(os.path.join(WORK, "last.crl"), "wb") as file:
            file.write(self.crl.der)
        openssl("crl", "-inform", "DER", "-in", os.path.join(WORK, "last.crl"), "-out", os.path.join(WORK, "last.pem"))
        for status, says in ((GOOD, ": OK"), (REVOKED, "certificate revoked")):
            index = next(index for index, verdict in enumerate(self.verdicts) if verdict[0] == status)
            leaf = os.path.join(WORK, "leaf.pem")
            with open(leaf, "w") as file:
                file.write(gateway.admin("cert", "show", self.race.names[index])["pem"])
            chain = ("-CAfile", ROOT, "-untrusted", ISSUER, "-CRLfile", os.path.join(WORK, "last.pem"))
            openssl("verify", "-crl_check", *chain, leaf, says=says)


def openssl(*arguments, says=""):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    check(says in done.stdout + done.stderr, f"openssl {' '.join(arguments)}: {done.stdout} {done.stderr}")


def join(name, *others):
    path = os.path.join(WORK, name)
    with open(path, "w") as file:
        file.write("".join(open(other).read() for other in others))
    return path


def der_of(pem):
    """The one certificate in a file."""
    return base64.b64decode("".join(line for line in open(pem) if not line.startswith("-----")))
