"""A gateway under strace, those who ask it for things, and notes of what they were told."""

import atexit
import base64
import hashlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

import acme_steps
import scep_steps
from disk import Disk
from gateway import CERTGATE, DATA, PROFILES, WORK, Gateway, check, free_port
from log import Log, has_ended, under_strace
from wire import Connection, Crl

CONFIG = PROFILES + "".join(
    f'[[endpoint]]\nprotocol = "{protocol}"\nname = "{name}"\nprofile = "{name}"\n'
    for protocol, name in (("est", "default"), ("est", "manual"), ("scep", "default"), ("acme", "default"))
) + """
[validation]
http01_port = {http01}
resolver = "127.0.0.1:{dns}"
allow_networks = ["127.0.0.0/8"]
[audit]
checkpoint_events = 40
"""
CONFIG_FILE, BACKUPS = os.path.join(WORK, "certgate.toml"), os.path.join(WORK, "backups")
SOCKET, ROOT = os.path.join(DATA, "certgate.sock"), os.path.join(DATA, "ca/root.pem")
VALID, HELD, REVOKED = 0, 1, 2
# For how long nothing is written before it is quiet, and how long that may take, in seconds.
QUIET, PATIENCE = 0.3, 30


def log_path(name):
    return os.path.join(WORK, f"{name}.strace")


def await_end(log):
    """The tracer ends after what it traces."""
    end = time.monotonic() + PATIENCE
    while not has_ended(log):
        check(time.monotonic() < end, f"{log} has no end")
        time.sleep(0.02)


class Logged(Gateway):
    """A gateway whose data directory nobody else has made. Each of its runs has a log."""

    def __init__(self):
        http01, dns = free_port(), free_port()
        for server in (
            acme_steps.Responding(("127.0.0.1", http01), acme_steps.Responder),
            acme_steps.socketserver.ThreadingUDPServer(("127.0.0.1", dns), acme_steps.Dns),
        ):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        with open(CONFIG_FILE, "w") as file:
            file.write(CONFIG.format(http01=http01, dns=dns))
        self.https, self.http, self.ops = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self.kills, self.logs, self.read, self.disk = 0, [], [], Disk(DATA)
        # Whatever goes wrong, it is not left behind.
        atexit.register(lambda: self.process.kill())

    def command(self):
        self.logs.append(log_path(f"run-{len(self.logs)}"))
        serve = super().command()
        return under_strace(self.logs[-1], [serve[0], "--config", CONFIG_FILE, *serve[1:]])

    def where(self):
        return len(self.logs) - 1, os.path.getsize(self.logs[-1])

    def is_quiet(self):
        """Waits until nothing is written any more."""
        end, before = time.monotonic() + PATIENCE, None
        while before != (before := self.where()):
            check(time.monotonic() < end, "it is never quiet")
            time.sleep(QUIET)

    def kill(self):
        """At no moment at which nobody could say whether a call was done: what is under way when a process is stopped ends before."""
        self.is_quiet()
        self.process.send_signal(signal.SIGSTOP)
        self.is_quiet()
        super().kill()
        self.is_over()

    def stop(self):
        self.process.terminate()
        check(self.process.wait(PATIENCE) == 0, "the gateway did not end well")
        self.is_over()

    def restore(self, backup):
        """By the command, in the place of what is there."""
        self.logs.append(log_path(f"run-{len(self.logs)}"))
        command = [CERTGATE, "--data-dir", DATA, "restore", backup, "--replace", "--accept-loss"]
        subprocess.run(under_strace(self.logs[-1], command), check=True, capture_output=True)
        self.is_over()

    def is_over(self):
        """What the log tells is what is there."""
        await_end(self.logs[-1])
        self.read.append(Log(self.logs[-1], self.read[-1].last if self.read else 0))
        for call in self.read[-1].calls:
            self.disk.take(call)
        other = self.disk.other_than(DATA)
        check(not other, f"the log of run {len(self.read)} tells other than there is: {other}")


class Actor:
    """Whoever asks a gateway, and notes what the answer is."""

    def __init__(self, gateway, notes):
        self.gateway, self.notes = gateway, notes

    def begin(self):
        return self.notes.where()

    def holds(self, begun, certificate):
        """A client was given a certificate."""
        serial = certificate.serial_number
        der = certificate.public_bytes(serialization.Encoding.DER)
        self.notes.tell(begun, ("certificate", serial), hashlib.sha256(der).hexdigest())
        self.notes.tell(begun, ("status", serial), VALID)
        return serial


class Est(Actor):
    """A device with a credential of its own, for a number of certificates."""

    def __init__(self, gateway, notes, name, endpoint="default", uses=1000):
        super().__init__(gateway, notes)
        self.name, self.label, self.uses = name, "" if endpoint == "default" else f"/{endpoint}", uses
        begun = self.begin()
        password = gateway.admin("est", "user", "add", name, "--endpoint", endpoint, "--uses", str(uses))["password"]
        notes.tell(begun, ("user", name), hashlib.sha256(password.encode()).hexdigest())
        notes.tell(begun, ("uses", name), uses)
        self.authorization = f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
        pem, _ = acme_steps.csr_for(name)
        self.body = base64.b64encode(x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER))

    def enroll(self):
        """The status, and the serial number of what came with it."""
        begun = self.begin()
        status, said = ask_est(self.gateway.https, ROOT, f"{self.label}/simpleenroll", self.body, self.authorization)
        if status != 200:
            return status, None
        # Where a person decides, that has spent one.
        if not self.label:
            self.is_spent(begun)
        (certificate,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(said))
        return status, self.holds(begun, certificate)

    def is_spent(self, begun):
        self.uses -= 1
        self.notes.tell(begun, ("uses", self.name), self.uses)

    def enrolls(self):
        status, serial = self.enroll()
        check(status == 200, f"an enrollment was answered with {status}")
        return serial

    def waits(self):
        """Its request waits for a person; the id that it has."""
        begun = self.begin()
        status, _ = self.enroll()
        check(status == 202, f"a request that is to wait was answered with {status}")
        waiting = self.gateway.admin("enrollment", "list", "--state", "pending")["items"]
        (identifier,) = [one["id"] for one in waiting if one["principal"] == self.name]
        self.notes.tell(begun, ("enrollment", identifier), "pending")
        return identifier

    def is_removed(self):
        begun = self.begin()
        self.gateway.admin("est", "user", "remove", self.name)
        for kind in ("user", "uses"):
            self.notes.tell(begun, (kind, self.name), None)


def ask_est(address, root, operation, body, authorization):
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPSConnection(host, int(port), timeout=PATIENCE, context=ssl.create_default_context(cafile=root))
    headers = {"Content-Type": "application/pkcs10", "Authorization": authorization}
    connection.request("POST", f"/.well-known/est{operation}", body, headers)
    answer = connection.getresponse()
    said = answer.status, answer.read()
    connection.close()
    return said


class Scep(Actor):
    """strongSwan's client, with a challenge for one certificate."""

    def enrolls(self, name):
        begun, port = self.begin(), int(self.gateway.http.rsplit(":", 1)[1])
        device = scep_steps.Device(self.gateway, port, "default", name)
        challenge = ("challenge", hashlib.sha256(device.challenge.encode()).hexdigest())
        self.notes.tell(begun, challenge, 1)
        device.learn()
        begun = self.begin()
        pem = device.enroll()
        check(pem, f"{name} has no certificate")
        self.notes.tell(begun, challenge, 0)
        return self.holds(begun, x509.load_pem_x509_certificate(pem.encode()))


class Acme(Actor):
    """certbot's library: an account, and orders."""

    def __init__(self, gateway, notes):
        super().__init__(gateway, notes)
        self.client = acme_steps.Client(gateway, "default")
        begun = self.begin()
        self.client.open()
        thumbprint = base64.urlsafe_b64encode(self.client.net.key.thumbprint()).decode().rstrip("=")
        notes.tell(begun, ("account", thumbprint), 1)

    def enrolls(self, name):
        pem, csr = acme_steps.csr_for(name)
        begun = self.begin()
        order = self.client.acme.new_order(pem)
        identifiers = [one.uri.rsplit("/", 1)[1] for one in order.authorizations]
        self.notes.tell(begun, ("order", order.uri.rsplit("/", 1)[1]), 1)
        for one in identifiers:
            self.notes.tell(begun, ("authorization", one), "pending")
        begun = self.begin()
        self.client.authorize(order)
        for one in identifiers:
            self.notes.tell(begun, ("authorization", one), "valid")
        begun = self.begin()
        self.client.finalize(order, csr)
        return self.holds(begun, x509.load_pem_x509_certificate(self.client.download(order).encode()))


class Operator(Actor):
    """By the administration socket, and by the command line."""

    def change(self, serial, operation, status):
        begun = self.begin()
        connection = Connection(SOCKET)
        wish = json.dumps({"reason": "keyCompromise"} if operation == "revoke" else {}).encode()
        octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big").hex()
        octets = octets[2:] if octets.startswith("00") and len(octets) > 2 and int(octets[2], 16) < 8 else octets
        code, said = connection.post(f"/v1/certificates/{octets}/{operation}", "application/json", wish)
        connection.close()
        check(code == 200, f"{operation}: {code} {said[:200]}")
        self.notes.tell(begun, ("status", serial), status)

    def builds_crl(self):
        begun = self.begin()
        self.gateway.admin("crl", "build")
        connection = Connection(self.gateway.http)
        crl = Crl(connection.get("/crl/default.crl")[1])
        connection.close()
        self.notes.tell(begun, ("crl", "default"), crl.number)

    def approves(self, device):
        """What a device waits for."""
        enrollment = device.waits()
        begun = self.begin()
        self.gateway.admin("enrollment", "approve", enrollment)
        self.notes.tell(begun, ("enrollment", enrollment), "issued")
        device.is_spent(begun)

    def backs_up(self, name):
        """Into a folder of its own, by a command that is logged: the path, and the log."""
        os.makedirs(BACKUPS, exist_ok=True)
        path, log = os.path.join(BACKUPS, name), log_path(name)
        command = [CERTGATE, "--config", CONFIG_FILE, "--data-dir", DATA, "backup", path]
        subprocess.run(under_strace(log, command), check=True, capture_output=True)
        await_end(log)
        return path, log
