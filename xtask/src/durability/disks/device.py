"""A device that enrolls by EST, and what relying parties ask: nothing but Python, and OpenSSL for what is ASN.1."""

import base64
import http.client
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from gateway import DATA, WORK, check

CA = os.path.join(DATA, "ca")


class Device:
    def __init__(self, gateway, name):
        self.host, self.port = gateway.https.rsplit(":", 1)
        self.context = ssl.create_default_context(cafile=os.path.join(CA, "root.pem"))
        password = gateway.admin("est", "user", "add", name)["password"]
        self.credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
        key = os.path.join(WORK, f"{name}.key")
        command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
        command += ["-subj", f"/CN={name}", "-outform", "DER"]
        self.request = base64.b64encode(subprocess.run(command, check=True, capture_output=True).stdout)
        self.answers = []

    def ask(self):
        """One request on a connection of its own: status, headers, body."""
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=30, context=self.context)
        headers = {"Authorization": f"Basic {self.credentials}", "Content-Type": "application/pkcs10"}
        connection.request("POST", "/.well-known/est/simpleenroll", self.request, headers)
        answer = connection.getresponse()
        said = answer.status, answer.headers, answer.read()
        connection.close()
        return said

    def enroll(self):
        """Enrolls, and keeps what it was given; its status and headers."""
        status, headers, body = self.ask()
        if status == 200:
            self.answers.append(body)
        return status, headers

    def enrolls(self):
        status, _ = self.enroll()
        check(status == 200, f"an enrollment was answered with {status}")

    def serials(self):
        """Serial numbers of all that it was given."""
        return [serial_in(answer) for answer in self.answers]


def serial_in(answer):
    der = base64.b64decode(answer)
    printed = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=der, check=True, capture_output=True)
    command = ["openssl", "x509", "-noout", "-serial"]
    serial = subprocess.run(command, input=printed.stdout, check=True, capture_output=True).stdout
    return serial.decode().strip().split("=")[1].lower()


def get(address, path):
    """Status and body of a GET in the clear."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def metric(gateway, line):
    """The value of the metric of this name and these labels."""
    for found in get(gateway.ops, "/metrics")[1].decode().splitlines():
        if found.startswith(f"{line} "):
            return float(found.split()[-1])
    return None


def ocsp(gateway, serial):
    """What OpenSSL is told, and has verified: good, revoked or unknown."""
    command = ["openssl", "ocsp", "-issuer", os.path.join(CA, "default.pem"), "-CAfile", os.path.join(CA, "root.pem")]
    command += ["-verify_other", os.path.join(CA, "default.pem"), "-url", f"http://{gateway.http}/ocsp/default", "-serial", f"0x{serial}"]
    said = subprocess.run(command, capture_output=True, text=True)
    check("Response verify OK" in said.stderr, f"openssl ocsp: {said.stdout}{said.stderr}")
    return said.stdout.splitlines()[0].split(": ")[1]


def relying_parties_are_served(gateway, good, revoked):
    """Whatever the disk does: they are told what became of certificates, and devices get the CA's."""
    check(ocsp(gateway, good) == "good", "OCSP of a certificate that is good")
    check(ocsp(gateway, revoked) == "revoked", "OCSP of a certificate that was revoked")
    for path in ["/crl/default.crl", "/ca/default.cer"]:
        check(get(gateway.http, path)[0] == 200, path)


def waits_for(seconds, holds, what):
    end = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.1)


def refuses_to_enroll(gateway, device):
    """EST, and readiness and metrics beside it: later, and nothing is told that is not so."""
    status, headers = device.enroll()
    check(status == 503 and headers["Retry-After"] == "30", f"an enrollment was answered with {status}, {headers}")
    status, said = get(gateway.ops, "/readyz")
    check(status == 503, f"/readyz: {status} {said}")
    check(get(gateway.ops, "/healthz")[0] == 200, "/healthz")
    check(metric(gateway, "certgate_ledger_writable") == 0, "certgate_ledger_writable")


def is_ready(gateway):
    return get(gateway.ops, "/readyz")[0] == 200


def all_are_recorded(gateway, device):
    serials = device.serials()
    for serial in serials:
        gateway.admin("cert", "show", serial)
    return len(serials)
