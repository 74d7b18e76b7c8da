"""An ACME client on certbot's library: the gateway is killed between each two requests, and in the middle of each."""

import http.server
import os
import socketserver
import struct
import threading
import time

import josepy
import requests
from OpenSSL import crypto
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway import MOMENTS, PROFILES, Gateway, check, free_port

CONFIG = PROFILES + """
[[endpoint]]
protocol = "acme"
name = "default"
profile = "default"
[[endpoint]]
protocol = "acme"
name = "manual"
profile = "manual"
[validation]
http01_port = {http01}
resolver = "127.0.0.1:{dns}"
allow_networks = ["127.0.0.0/8"]
"""

ANSWERS = {}
# Set while the responder lets nobody have an answer.
HELD = threading.Event()


class Responder(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        while HELD.is_set():
            time.sleep(0.05)
        body = ANSWERS.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *rest):
        pass


class Responding(http.server.ThreadingHTTPServer):
    def handle_error(self, *rest):
        """Whoever asked was killed."""


class Dns(socketserver.BaseRequestHandler):
    """Every name has one IPv4 address: the loopback."""

    def handle(self):
        query, socket = self.request
        end = query.index(b"\0", 12) + 5
        question, kind = query[12:end], query[end - 4 : end - 2]
        answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x7f\0\0\x01" if kind == b"\0\x01" else b""
        head = query[:2] + b"\x85\x80\0\x01" + struct.pack(">H", bool(answer)) + b"\0\0\0\0"
        socket.sendto(head + question + answer, self.client_address)


class Network(client.ClientNetwork):
    """Kills the gateway after each answer to a POST (between), or so many milliseconds after the next POST was sent (moment).

    Nonces die with the gateway, as they have to: what follows is refused, and sent again with the nonce of the refusal.
    """

    gateway, moment, between = None, None, False

    def _send_request(self, method, url, *rest, **more):
        moment = None
        if method == "POST":
            moment, self.moment = self.moment, None
        killing = self.gateway.kill_after(moment) if moment is not None else None
        answer = None
        try:
            answer = super()._send_request(method, url, *rest, **more)
        finally:
            if killing:
                killing.join()
                self.gateway.start()
                self.session.close()
        if self.between and method == "POST" and answer.ok:
            self.gateway.restart()
            self.session.close()
        return answer


def http01_of(authorization):
    return next(one for one in authorization.body.challenges if isinstance(one.chall, challenges.HTTP01))


class Client:
    def __init__(self, gateway, endpoint):
        key = josepy.JWKRSA(key=rsa.generate_private_key(65537, 2048))
        self.net = Network(key, verify_ssl=True)
        self.net.gateway = gateway
        directory = client.ClientV2.get_directory(f"https://{gateway.https}/acme/{endpoint}/directory", self.net)
        self.acme = client.ClientV2(directory, self.net)

    def retried(self, step):
        """A step whose answer may be lost, until there is one."""
        for _ in range(5):
            try:
                return step()
            except (requests.exceptions.RequestException, errors.ClientError, ValueError) as error:
                if isinstance(error, errors.ConflictError):
                    raise
        raise SystemExit("five tries were in vain")

    def open(self):
        wish = messages.NewRegistration.from_data(email="a@example.com", terms_of_service_agreed=True)
        try:
            self.acme.new_account(wish)
        except errors.ConflictError as known:
            # The answer of the first time was lost.
            self.net.account = messages.RegistrationResource(uri=known.location)

    def authorize(self, order):
        for authorization in order.authorizations:
            challenge = http01_of(authorization)
            response, validation = challenge.response_and_validation(self.net.key)
            ANSWERS[challenge.chall.path] = validation
            self.retried(lambda: self.acme.answer_challenge(challenge, response))
        self.wait(lambda: self.state(order) not in ("pending", "processing"))

    def order_body(self, order):
        answer = self.retried(lambda: self.acme._post_as_get(order.uri))
        return messages.Order.from_json(answer.json())

    def state(self, order):
        return self.order_body(order).status.name

    def wait(self, until):
        end = time.monotonic() + 60
        while not until():
            check(time.monotonic() < end, "nothing came of it within a minute")
            time.sleep(0.1)

    def finalize(self, order, csr, moment=None):
        """Until it is finalized, however often its answer is lost."""
        while self.state(order) == "ready":
            self.net.moment, moment = moment, None
            try:
                self.retried(lambda: self.acme._post(order.body.finalize, messages.CertificateRequest(csr=csr)))
            except messages.Error as error:
                check(error.code == "orderNotReady", f"finalize: {error}")

    def download(self, order):
        body = self.order_body(order)
        check(body.status.name == "valid", f"the order is {body.status.name}")
        return self.retried(lambda: self.acme._post_as_get(body.certificate)).text


def csr_for(name):
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, hashes.SHA256())
    pem = csr.public_bytes(serialization.Encoding.PEM)
    return pem, josepy.ComparableX509(crypto.load_certificate_request(crypto.FILETYPE_PEM, pem))


def one_certificate(gateway, name, text):
    held = gateway.certificates(name)
    check(len(held) == 1, f"{name} has {len(held)} certificates")
    recorded = gateway.admin("cert", "show", held[0]["serial"])["pem"]
    check(text.startswith(recorded), f"{name} was given another certificate than is recorded")


def between(gateway):
    """After each answer the gateway is killed."""
    one = Client(gateway, "default")
    one.net.between = True
    one.retried(one.open)
    pem, csr = csr_for("between.example.com")
    order = one.retried(lambda: one.acme.new_order(pem))
    one.authorize(order)
    one.finalize(order, csr)
    one_certificate(gateway, "between.example.com", one.download(order))


def amid(gateway):
    """In the middle of each request that changes something the gateway is killed, at one moment after the other."""
    for moment in MOMENTS:
        name = f"amid-{moment}.example.com"
        one = Client(gateway, "default")
        one.net.moment = moment
        one.retried(one.open)
        pem, csr = csr_for(name)
        one.net.moment = moment
        order = one.retried(lambda: one.acme.new_order(pem))
        one.net.moment = moment
        one.authorize(order)
        one.finalize(order, csr, moment)
        one_certificate(gateway, name, one.download(order))


def validating(gateway):
    """While a name is being validated the gateway is killed: it begins again by itself."""
    one = Client(gateway, "default")
    one.open()
    pem, csr = csr_for("validating.example.com")
    order = one.acme.new_order(pem)
    challenge = http01_of(order.authorizations[0])
    response, validation = challenge.response_and_validation(one.net.key)
    ANSWERS[challenge.chall.path] = validation
    HELD.set()
    one.acme.answer_challenge(challenge, response)
    gateway.restart()
    HELD.clear()
    one.net.session.close()
    one.wait(lambda: one.state(order) == "ready")
    one.finalize(order, csr)
    one_certificate(gateway, "validating.example.com", one.download(order))


def waiting(gateway):
    """While a person is waited for the gateway is killed, and again after that person has said yes."""
    one = Client(gateway, "manual")
    one.open()
    pem, csr = csr_for("waiting.example.com")
    order = one.acme.new_order(pem)
    one.authorize(order)
    one.finalize(order, csr)
    gateway.restart()
    one.net.session.close()
    check(one.state(order) == "processing", "it waits no more")
    gateway.approve()
    gateway.restart()
    one.net.session.close()
    one_certificate(gateway, "waiting.example.com", one.download(order))


def main():
    http01, dns = free_port(), free_port()
    responder = Responding(("127.0.0.1", http01), Responder)
    names = socketserver.ThreadingUDPServer(("127.0.0.1", dns), Dns)
    for server in (responder, names):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway = Gateway(CONFIG.format(http01=http01, dns=dns))
    os.environ["REQUESTS_CA_BUNDLE"] = os.path.join(os.environ["WORK"], "data", "ca", "root.pem")
    for scenario in (between, amid, validating, waiting):
        scenario(gateway)
        print(f"{scenario.__name__}: {scenario.__doc__}")
    gateway.finish()


if __name__ == "__main__":
    main()
