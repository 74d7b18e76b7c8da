"""The data directory is on a disk that fills up: whoever asks is told to come later, in each protocol, and nothing that was told is lost."""

import errno
import os
import subprocess

import josepy
from acme import client, messages
from cryptography.hazmat.primitives.asymmetric import rsa

from device import Device, all_are_recorded, get, is_ready, metric, refuses_to_enroll, relying_parties_are_served, waits_for
from gateway import CERTGATE, DATA, WORK, Gateway, check

FILLER = os.path.join(DATA, "filler")


def fill():
    """To the last octet."""
    with open(FILLER, "ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                check(error.errno == errno.ENOSPC, str(error))


class Acme:
    """Accounts are asked for by certbot's library; every answer is looked at as it came."""

    def __init__(self, gateway):
        self.answers = []
        key = josepy.JWKRSA(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
        self.net = client.ClientNetwork(key, verify_ssl=os.path.join(DATA, "ca", "root.pem"))
        self.net.session.hooks["response"].append(lambda answer, *_, **__: self.answers.append(answer))
        directory = client.ClientV2.get_directory(f"https://{gateway.https}/acme/default/directory", self.net)
        self.client = client.ClientV2(directory, net=self.net)

    def account(self):
        self.client.new_account(messages.NewRegistration.from_data(terms_of_service_agreed=True))

    def is_refused(self):
        try:
            self.account()
        except messages.Error as problem:
            last = self.answers[-1]
            check(problem.typ == "urn:ietf:params:acme:error:serverInternal", f"ACME: {problem}")
            check(last.status_code == 503 and last.headers["Retry-After"] == "30", f"ACME: {last.status_code} {last.headers}")
            return
        raise SystemExit("an account was made on a full disk")


class Scep:
    def __init__(self, gateway):
        self.gateway, self.url = gateway, f"http://{gateway.http}/scep/default"
        self.folder = os.path.join(WORK, "scep")
        os.mkdir(self.folder)
        self.run("openssl", "genrsa", "-out", "key.pem", "2048")
        self.challenge = gateway.admin("scep", "challenge", "new")["challenge"]
        self.run("pki", "--scepca", "--url", self.url, "--caout", "ra.pem", "--outform", "pem", "--force")

    def run(self, *command):
        return subprocess.run(command, cwd=self.folder, capture_output=True, timeout=90)

    def enroll(self):
        return self.run(
            "pki", "--scep", "--url", self.url, "--in", "key.pem", "--dn", "C=DE, CN=scep.example.com", "--san", "scep.example.com",
            "--password", self.challenge, "--cacert-enc", "ra-ra.pem", "--cacert-sig", "ra-ra.pem", "--cacert", "ra.pem",
            "--cacert", "ra-1.pem", "--interval", "1", "--maxpolltime", "5", "--outform", "pem",
        ).returncode == 0

    def is_refused(self):
        outcome = 'certgate_enrollments_total{protocol="scep",endpoint="default",outcome="store"}'
        before = metric(self.gateway, outcome) or 0
        check(not self.enroll(), "a certificate was given by SCEP on a full disk")
        check((metric(self.gateway, outcome) or 0) > before, f"{outcome} has not grown")


def starts(gateway):
    """Starts it. If it does not, it says that the disk is full."""
    arguments = [CERTGATE, "--data-dir", DATA, "serve", "--https", gateway.https, "--http", gateway.http, "--ops", gateway.ops]
    with open(os.path.join(WORK, "full.log"), "w") as log:
        gateway.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True)
    if "certgate ready\n" in iter(gateway.process.stdout.readline, ""):
        return True
    with open(os.path.join(WORK, "full.log")) as log:
        said = log.read()
    check(gateway.process.wait(30) == 1 and ("full" in said or "No space" in said), f"a start on a full disk: {said}")
    return False


def refuses_to_enroll_in_the_end(gateway, device):
    fill()
    while device.enroll()[0] == 200:
        check(len(device.answers) < 6000, "the disk is full, and the ledger goes on")
    refuses_to_enroll(gateway, device)


def run():
    gateway = Gateway("")
    device, acme, scep = Device(gateway, "full.example.com"), Acme(gateway), Scep(gateway)
    for _ in range(3):
        device.enrolls()
    good, revoked = device.serials()[:2]
    gateway.admin("cert", "revoke", revoked)
    for again in range(2):
        fill()
        refusals = 0
        # What room the journal has of its own is used up first.
        while refusals < 3:
            status, _ = device.enroll()
            check(status in (200, 503), f"an enrollment was answered with {status}")
            refusals += status == 503
            check(len(device.answers) < 3000, "the disk is full, and the ledger goes on")
        refuses_to_enroll(gateway, device)
        acme.is_refused()
        scep.is_refused()
        command = [CERTGATE, "--data-dir", DATA, "cert", "revoke", good]
        refused = subprocess.run(command, capture_output=True, text=True)
        check(refused.returncode == 1, f"a revocation on a full disk: {refused.returncode} {refused.stderr}")
        relying_parties_are_served(gateway, good, revoked)
        if again:
            # Whoever is killed on a full disk starts again, or says why not.
            gateway.kill()
            if starts(gateway):
                refuses_to_enroll_in_the_end(gateway, device)
                relying_parties_are_served(gateway, good, revoked)
                os.remove(FILLER)
            else:
                os.remove(FILLER)
                gateway.start()
        else:
            os.remove(FILLER)
        waits_for(10, lambda: is_ready(gateway), "ready again")
        device.enrolls()
        check(metric(gateway, "certgate_ledger_writable") == 1, "certgate_ledger_writable")
        relying_parties_are_served(gateway, good, revoked)
    acme.account()
    check(scep.enroll(), "SCEP goes on")
    gateway.admin("cert", "revoke", good)
    check(get(gateway.ops, "/readyz")[0] == 200, "/readyz")
    count = all_are_recorded(gateway, device)
    gateway.finish()
    print(f"{count} certificates were given, and all are recorded")


run()
