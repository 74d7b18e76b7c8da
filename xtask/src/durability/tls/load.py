"""Clients that ask without a pause, verify what they are shown, and remember whatever went wrong."""

import base64
import http.client
import os
import ssl
import subprocess
import threading

from gateway import WORK

EST = "/.well-known/est"
MOST_WAITED = 30


class Load:
    """Each kind of client is a method that asks once: on a new connection, on one that is kept, or for a certificate."""

    def __init__(self, gateway, roots, password):
        self.host, self.port = gateway.https.rsplit(":", 1)
        self.context = ssl.create_default_context()
        for root in roots:
            self.context.load_verify_locations(root)
        self.credentials = base64.b64encode(f"load:{password}".encode()).decode()
        key = os.path.join(WORK, "load.key")
        request = subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
            + ["-subj", "/CN=load", "-outform", "DER"], check=True, capture_output=True).stdout
        self.request = base64.b64encode(request)
        self.failures, self.counts, self.is_over = [], {}, False
        self.threads = [self.begin("new connections", self.new_connection) for _ in range(2)]
        self.threads += [self.begin("kept connections", self.kept_connection(self.fetch)) for _ in range(2)]
        self.threads += [self.begin("enrollments", self.kept_connection(self.enroll))]

    def begin(self, kind, ask):
        self.counts.setdefault(kind, 0)

        def run():
            while not self.is_over:
                try:
                    ask()
                    self.counts[kind] += 1
                except Exception as error:
                    self.failures.append(f"{kind}: {error!r}")
                    return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def connect(self):
        # The certificate is verified: chain, time and name.
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=MOST_WAITED, context=self.context)
        connection.connect()
        # One that breaks is not made again in silence.
        connection.auto_open = 0
        return connection

    def new_connection(self):
        connection = self.connect()
        self.fetch(connection)
        connection.close()

    def kept_connection(self, ask):
        connection = self.connect()
        return lambda: ask(connection)

    def fetch(self, connection):
        self.exchange(connection, "GET", "/cacerts")

    def enroll(self, connection):
        headers = {"Content-Type": "application/pkcs10", "Authorization": f"Basic {self.credentials}"}
        self.exchange(connection, "POST", "/simpleenroll", self.request, headers)

    def exchange(self, connection, method, path, body=None, headers=None):
        connection.request(method, EST + path, body, headers or {})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {body[:200]}")

    def shown(self):
        """The serial number of the certificate that a new connection is shown."""
        connection = self.connect()
        serial = connection.sock.getpeercert()["serialNumber"]
        connection.close()
        return serial

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        return self.failures
