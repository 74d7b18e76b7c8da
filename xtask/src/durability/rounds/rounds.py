"""16 clients enroll by three protocols and two operators revoke, while the gateway is killed again and again."""

import base64
import hashlib
import http.client
import itertools
import json
import os
import random
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

import acme_steps
import scep_steps
from gateway import DATA, Gateway, check, free_port
from wire import REVOKED, Connection, Crl, Questions

ROUNDS = int(os.environ["ROUNDS"])
EST, SCEP, ACME, OPERATORS = 10, 3, 3, 2
CONFIG = """
[[profile]]
name = "default"
authority = "default"
[[endpoint]]
protocol = "est"
name = "default"
profile = "default"
[[endpoint]]
protocol = "scep"
name = "default"
profile = "default"
[[endpoint]]
protocol = "acme"
name = "default"
profile = "default"
[validation]
http01_port = {http01}
resolver = "127.0.0.1:{dns}"
allow_networks = ["127.0.0.0/8"]
"""
USER = "rounds.example.com"
SOCKET, ROOT, ISSUER = (os.path.join(DATA, name) for name in ("certgate.sock", "ca/root.pem", "ca/default.pem"))
# Between two requests of a client, and two revocations of an operator, in seconds.
PAUSE, REST = 0.01, 0.02
# Revoked certificates of earlier rounds that are asked about after each kill.
SAMPLE = 40
# In one of so many rounds a challenge that was used is tried again.
AGAIN = 10


class Held:
    """What clients were given, and what operators were told."""

    def __init__(self):
        self.lock, self.serials, self.revoked, self.faults = threading.Lock(), {}, [], []
        self.by_protocol = dict.fromkeys(("EST", "SCEP", "ACME"), 0)
        self.used_challenges = []

    def take(self, protocol, der):
        certificate = x509.load_der_x509_certificate(der)
        serial = f"{certificate.serial_number:x}"
        serial = serial.zfill(len(serial) + len(serial) % 2)
        with self.lock:
            if serial in self.serials:
                self.faults.append(f"{serial} was given twice")
            self.serials[serial] = hashlib.sha256(der).hexdigest()
            self.by_protocol[protocol] += 1

    def to_revoke(self, chance):
        with self.lock:
            known = list(self.serials)
        gone = set(self.revoked)
        left = [serial for serial in chance.sample(known, min(20, len(known))) if serial not in gone]
        return left[0] if left else None


class Crowd:
    """Everybody who is at it until it is over. Whoever is cut off by a kill begins anew."""

    def __init__(self, gateway, held):
        self.gateway, self.held, self.is_over, self.names = gateway, held, False, itertools.count()
        # Cleared while it is judged: then nobody begins anything.
        self.may_go = threading.Event()
        self.may_go.set()
        with open(os.path.join(DATA, "password"), "w") as file:
            file.write(gateway.admin("est", "user", "add", USER)["password"])
        kinds = [(EST, self.est), (SCEP, self.scep), (ACME, self.acme), (OPERATORS, self.revoke)]
        self.threads = [
            threading.Thread(target=self.run, args=(kind, number), daemon=True) for count, kind in kinds for number in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def goes_on(self):
        self.may_go.wait()
        return not self.is_over

    def run(self, kind, number):
        while self.goes_on():
            try:
                kind(number)
            except (Exception, SystemExit):
                # Its gateway was killed, and what it was about is lost or is not: what it holds is what counts.
                time.sleep(0.05)

    def est(self, number):
        password = open(os.path.join(DATA, "password")).read()
        credentials = base64.b64encode(f"{USER}:{password}".encode()).decode()
        headers = {"Content-Type": "application/pkcs10", "Authorization": f"Basic {credentials}"}
        pem, _ = acme_steps.csr_for(USER)
        body = base64.b64encode(x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER))
        host, port = self.gateway.https.rsplit(":", 1)
        connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=ssl.create_default_context(cafile=ROOT))
        while self.goes_on():
            connection.request("POST", "/.well-known/est/simpleenroll", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status == 200:
                (certificate,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(said))
                self.held.take("EST", certificate.public_bytes(serialization.Encoding.DER))
            time.sleep(PAUSE)

    def scep(self, number):
        port = int(self.gateway.http.rsplit(":", 1)[1])
        device = scep_steps.Device(self.gateway, port, "default", f"scep-{next(self.names)}.example.com")
        device.learn()
        if pem := device.enroll():
            certificate = x509.load_pem_x509_certificate(pem.encode())
            self.held.take("SCEP", certificate.public_bytes(serialization.Encoding.DER))
            self.held.used_challenges.append(device.challenge)

    def acme(self, number):
        client = acme_steps.Client(self.gateway, "default")
        client.open()
        while self.goes_on():
            pem, csr = acme_steps.csr_for(f"acme-{next(self.names)}.example.com")
            order = client.acme.new_order(pem)
            client.authorize(order)
            client.finalize(order, csr)
            certificate = x509.load_pem_x509_certificate(client.download(order).encode())
            self.held.take("ACME", certificate.public_bytes(serialization.Encoding.DER))

    def revoke(self, number):
        chance, connection = random.Random(number), Connection(SOCKET)
        while self.goes_on():
            serial = self.held.to_revoke(chance)
            if serial:
                wish = json.dumps({"reason": "keyCompromise"}).encode()
                status, _ = connection.post(f"/v1/certificates/{serial}/revoke", "application/json", wish)
                if status == 200:
                    self.held.revoked.append(serial)
            time.sleep(REST)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(60)


class Judge:
    """What has to hold after each kill."""

    def __init__(self, held):
        der = x509.load_pem_x509_certificate(open(ISSUER, "rb").read()).public_bytes(serialization.Encoding.DER)
        self.held, self.questions, self.chance = held, Questions(der), random.Random(7)
        self.looked_up, self.asked, self.number = 0, 0, 0

    def judge(self, http):
        with self.held.lock:
            held = list(self.held.serials.items())
        revoked = list(self.held.revoked)
        operator, public = Connection(SOCKET), Connection(http)
        for serial, sha256 in held[self.looked_up :]:
            status, body = operator.get(f"/v1/certificates/{serial}")
            check(status == 200 and json.loads(body)["sha256"] == sha256, f"a client holds {serial}, and the ledger does not: {status}")
        earlier = self.chance.sample(revoked[: self.asked], min(SAMPLE, self.asked))
        for serial in revoked[self.asked :] + earlier:
            said = self.questions.ask(public, int(serial, 16))[0][0]
            check(said == REVOKED, f"{serial} was revoked, and is {said}")
        self.judge_crl(operator, public, revoked)
        self.looked_up, self.asked = len(held), len(revoked)
        check(not self.held.faults, "; ".join(self.held.faults))

    def judge_crl(self, operator, public, revoked):
        wish = json.dumps({"authority": "default", "kind": "full"}).encode()
        status, body = operator.post("/v1/crls", "application/json", wish)
        check(status == 200, f"crl build: {status} {body[:200]}")
        crl = Crl(public.get("/crl/default.crl")[1])
        check(crl.number > self.number, f"CRL {crl.number} comes after {self.number}")
        missing = [serial for serial in revoked if int(serial, 16) not in crl.entries]
        check(not missing, f"CRL {crl.number} lacks {missing[:3]}")
        self.number = crl.number


def try_again(crowd, held):
    """A challenge that was used for a certificate is good for no other, also after a kill."""
    port = int(crowd.gateway.http.rsplit(":", 1)[1])
    device = scep_steps.Device(crowd.gateway, port, "default", f"again-{next(crowd.names)}.example.com")
    device.challenge = held.used_challenges[-1]
    device.learn()
    check(device.enroll() is None, "a challenge was used twice")


def main():
    http01, dns = free_port(), free_port()
    responder = acme_steps.Responding(("127.0.0.1", http01), acme_steps.Responder)
    names = acme_steps.socketserver.ThreadingUDPServer(("127.0.0.1", dns), acme_steps.Dns)
    for server in (responder, names):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway = Gateway(CONFIG.format(http01=http01, dns=dns))
    os.environ["REQUESTS_CA_BUNDLE"] = ROOT
    held, begun = Held(), time.monotonic()
    crowd, judge, chance, tried = Crowd(gateway, held), Judge(held), random.Random(50), 0
    for number in range(ROUNDS):
        time.sleep(chance.uniform(0.3, 0.9))
        gateway.restart()
        crowd.may_go.clear()
        judge.judge(gateway.http)
        if number % AGAIN == AGAIN - 1 and held.used_challenges:
            try_again(crowd, held)
            tried += 1
        crowd.may_go.set()
    crowd.end()
    gateway.restart()
    judge.judge(gateway.http)
    check(min(held.by_protocol.values()) > 0, f"somebody got nothing: {held.by_protocol}")
    print(f"{held.by_protocol} certificates, {len(held.revoked)} revocations, CRL {judge.number}, {tried} used challenges tried again, in "
          f"{time.monotonic() - begun:.0f} s")
    gateway.finish()


main()
