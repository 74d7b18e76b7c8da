"""strongSwan's client of SCEP behind a relay, which kills the gateway after each answer, or in the middle of a message."""

import http.server
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request

from gateway import MOMENTS, PROFILES, WORK, Gateway, check

CONFIG = PROFILES + """
[[endpoint]]
protocol = "scep"
name = "default"
profile = "default"
[[endpoint]]
protocol = "scep"
name = "manual"
profile = "manual"
"""


class Relay(http.server.BaseHTTPRequestHandler):
    gateway = None
    # Is it killed after each answer? So long after the next message was sent? What is done before the next message?
    between, moment, before = False, None, None
    messages = 0

    def relay(self, body):
        kind, moment = type(self), None
        if body is not None:
            moment, kind.moment = kind.moment, None
            kind.messages += 1
            before, kind.before = kind.before, None
            if before and kind.messages > 1:
                before()
        killing = kind.gateway.kill_after(moment) if moment is not None else None
        try:
            url = f"http://{kind.gateway.http}{self.path}"
            request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/x-pki-message"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, said, content_type = answer.status, answer.read(), answer.headers["Content-Type"]
        except OSError:
            status, said, content_type = 502, b"", "text/plain"
        if killing:
            killing.join()
            kind.gateway.start()
            # Nobody hears an answer of what was killed, whether there was one or not.
            status, said = 502, b""
        elif kind.between:
            kind.gateway.restart()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_GET(self):
        self.relay(None)

    def do_POST(self):
        self.relay(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *rest):
        pass


class Device:
    def __init__(self, gateway, port, endpoint, name):
        self.gateway, self.url, self.name = gateway, f"http://127.0.0.1:{port}/scep/{endpoint}", name
        self.folder = os.path.join(WORK, name)
        os.mkdir(self.folder)
        self.run("openssl", "genrsa", "-out", "key.pem", "2048")
        self.challenge = gateway.admin("scep", "challenge", "new", "--endpoint", endpoint)["challenge"]

    def run(self, *command):
        return subprocess.run(command, cwd=self.folder, capture_output=True, timeout=90)

    def learn(self):
        done = self.run("pki", "--scepca", "--url", self.url, "--caout", "ra.pem", "--outform", "pem", "--force")
        check(done.returncode == 0, f"pki --scepca: {done.stderr.decode()}")

    def enroll(self):
        """The certificate, or none when there was no answer."""
        done = self.run(
            "pki", "--scep", "--url", self.url, "--in", "key.pem", "--dn", f"C=DE, CN={self.name}", "--san", self.name,
            "--password", self.challenge, "--cacert-enc", "ra-ra.pem", "--cacert-sig", "ra-ra.pem", "--cacert", "ra.pem",
            "--cacert", "ra-1.pem", "--interval", "1", "--maxpolltime", "40", "--outform", "pem",
        )
        return done.stdout.decode() if done.returncode == 0 else None

    def holds(self, certificate):
        check(certificate and "BEGIN CERTIFICATE" in certificate, f"{self.name} has no certificate")
        held = self.gateway.certificates(self.name)
        check(len(held) == 1, f"{self.name} has {len(held)} certificates")
        recorded = self.gateway.admin("cert", "show", held[0]["serial"])["pem"]
        check(certificate.split() == recorded.split(), f"{self.name} was given another certificate than is recorded")


def between(gateway, port):
    """After each answer the gateway is killed: GetCACaps, GetCACert, PKCSReq."""
    Relay.between = True
    device = Device(gateway, port, "default", "between.example.com")
    device.learn()
    certificate = device.enroll()
    Relay.between = False
    device.holds(certificate)
    device.holds(device.enroll())


def amid(gateway, port):
    """In the middle of a PKCSReq the gateway is killed, at one moment after the other, and the request sent again."""
    for moment in MOMENTS:
        device = Device(gateway, port, "default", f"amid-{moment}.example.com")
        device.learn()
        Relay.moment = moment
        check(device.enroll() is None, "an answer that nobody has sent")
        device.holds(device.enroll())


def waiting(gateway, port):
    """After each answer, PENDING ones among them, the gateway is killed; in between a person says yes."""
    device = Device(gateway, port, "manual", "waiting.example.com")
    device.learn()
    Relay.between, Relay.messages, Relay.before = True, 0, None

    def approve():
        end = time.monotonic() + 30
        while Relay.messages < 2 and time.monotonic() < end:
            time.sleep(0.05)
        Relay.before = gateway.approve

    thread = threading.Thread(target=approve)
    thread.start()
    certificate = device.enroll()
    thread.join()
    Relay.between = False
    check(Relay.messages >= 3, f"{Relay.messages} messages: nothing was polled")
    device.holds(certificate)


def main():
    relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    gateway = Relay.gateway = Gateway(CONFIG)
    for scenario in (between, amid, waiting):
        scenario(gateway, relay.server_port)
        print(f"{scenario.__name__}: {scenario.__doc__}")
    gateway.finish()


if __name__ == "__main__":
    main()
