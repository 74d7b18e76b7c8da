"""Clients that are served while another attacks, and what the gateway takes meanwhile: run as `bystanders.py ATTACK`.

They ask for what relying parties and devices ask for, each again and again: OCSP over new connections in the clear, EST cacerts over new
connections of TLS, and EST simpleenroll over one that is kept. First in peace, then for as long as the attack lasts. Nobody is to fail, nobody to
wait much longer than in peace, and the gateway is to take no more memory than it may.
"""

import base64
import http.client
import os
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from counted import missing
from wire import CA, HTTP, HTTPS, OPS, WORK, address

PEACE, ENOUGH = 2.0, 10
PAUSE = 0.02
MOST_SECONDS = 150
# A median may grow so many times, and by so much besides: the attacker computes on the same two cores.
MOST_TIMES, MOST_MORE = 6, 0.05
LONGEST = 4.0
# Resident set, MiB: more than before the attack.
MOST_MEMORY = int(os.environ.get("MOST_MEMORY", "48"))
PID = os.environ["PID"]


class Bystanders:
    def __init__(self):
        self.taken, self.failures, self.is_over = {}, [], False
        self.context = ssl.create_default_context(cafile=CA)
        self.ocsp = open(os.path.join(WORK, "ocsp.der"), "rb").read()
        self.csr = base64.b64encode(open(os.path.join(WORK, "csr.der"), "rb").read())
        user = f"bystander:{os.environ['PASSWORD']}"
        self.credentials = base64.b64encode(user.encode()).decode()
        self.kept = None
        threads = [("ocsp", self.ask_ocsp), ("cacerts", self.ask_cacerts), ("enroll", self.enroll)]
        self.threads = [threading.Thread(target=self.run, args=one, daemon=True) for one in threads]
        for thread in self.threads:
            thread.start()

    def run(self, kind, ask):
        while not self.is_over:
            begun = time.monotonic()
            try:
                ask()
            except Exception as error:
                self.failures.append(f"{kind} after {time.monotonic() - begun:.2f} s: {error!r}")
            self.taken.setdefault(kind, []).append(time.monotonic() - begun)
            time.sleep(PAUSE)

    def exchange(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {said[:200]}")

    def ask_ocsp(self):
        connection = http.client.HTTPConnection(*address(HTTP), timeout=20)
        self.exchange(connection, "POST", "/ocsp/default", self.ocsp, {"Content-Type": "application/ocsp-request"})
        connection.close()

    def tls(self):
        return http.client.HTTPSConnection(*address(HTTPS), timeout=20, context=self.context)

    def ask_cacerts(self):
        connection = self.tls()
        self.exchange(connection, "GET", "/.well-known/est/cacerts")
        connection.close()

    def enroll(self):
        self.kept = self.kept or self.tls()
        headers = {"Content-Type": "application/pkcs10", "Authorization": f"Basic {self.credentials}"}
        try:
            self.exchange(self.kept, "POST", "/.well-known/est/simpleenroll", self.csr, headers)
        except (ConnectionError, http.client.BadStatusLine, ssl.SSLError):
            # A connection that is kept may be ended between two requests (RFC 9112 §9.3.1): a client opens another.
            self.kept = None
            connection = self.tls()
            self.exchange(connection, "POST", "/.well-known/est/simpleenroll", self.csr, headers)
            self.kept = connection

    def in_peace(self):
        """What is measured before the attack, once there is enough of it."""
        time.sleep(PEACE)
        while not self.failures and (len(self.taken) < 3 or min(map(len, self.taken.values())) < ENOUGH):
            time.sleep(PAUSE)
        return self.take()

    def take(self):
        """What was measured since this was asked last."""
        taken, self.taken = self.taken, {}
        return taken

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(30)
        return self.failures


def status(field):
    with open(f"/proc/{PID}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":")) / 1024


def metrics():
    with urllib.request.urlopen(f"http://{OPS}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def grown(before, after):
    """Counters of refusals that have grown."""
    changed = {name: after[name] - before.get(name, 0) for name in after if after[name] > before.get(name, 0)}
    told = ("refused", "displaced", "failed", "_ended", "outcome=\"client\"", "outcome=\"unauth", "malformed")
    return {name.removeprefix("certgate_"): int(more) for name, more in changed.items() if any(one in name for one in told)}


def main(attack):
    bystanders = Bystanders()
    peace = bystanders.in_peace()
    with open(f"/proc/{PID}/clear_refs", "w") as file:
        file.write("5")
    before, counters = status("VmRSS"), metrics()
    run = subprocess.Popen([sys.executable, os.path.join(WORK, "attacks.py"), attack], stdout=subprocess.PIPE, text=True)
    try:
        said, _ = run.communicate(timeout=MOST_SECONDS)
    finally:
        run.kill()
    attacked, failures = bystanders.take(), bystanders.end()
    more, counted = status("VmHWM") - before, metrics()
    print(said, end="")
    print(f"memory: {before:.0f} MiB before, at the most {more:.0f} more; refusals: {grown(counters, counted)}")
    complaints = failures[:5] + missing(attack, counters, counted)
    for kind, times in attacked.items():
        usual, median, longest = statistics.median(peace[kind]), statistics.median(times), max(times)
        print(f"{kind}: {len(times)} meanwhile, median {median * 1000:.1f} ms ({usual * 1000:.1f} in peace), longest {longest * 1000:.0f} ms")
        if median > usual * MOST_TIMES + MOST_MORE or longest > LONGEST:
            complaints.append(f"{kind} is served late")
    if more > MOST_MEMORY:
        complaints.append(f"{more:.0f} MiB are more than {MOST_MEMORY}")
    if run.returncode:
        complaints.append(f"the attack ended with {run.returncode}")
    if complaints:
        sys.exit("; ".join(complaints))


main(sys.argv[1])
