"""HTTP over one connection that is kept, and as much DER as it takes to ask by OCSP and to read answers and CRLs."""

import base64
import functools
import hashlib
import socket
import urllib.parse

REASONS = {
    "unspecified": 0, "keyCompromise": 1, "cACompromise": 2, "affiliationChanged": 3, "superseded": 4,
    "cessationOfOperation": 5, "privilegeWithdrawn": 9, "aACompromise": 10,
}
GOOD, HELD, REVOKED = "good", "held", "revoked"
HOLD, REMOVED = 6, 8
# AlgorithmIdentifiers of the digests in a CertID.
DIGESTS = {"sha1": "300906052b0e03021a0500", "sha256": "300d06096086480165030402010500"}
NONCE = bytes.fromhex("06092b0601050507300102")
CRL_NUMBER, DELTA_INDICATOR, REASON, INVALIDITY = (bytes((0x55, 0x1D, arc)) for arc in (20, 27, 21, 24))
MOST_WAITED = 30


class Connection:
    """HTTP/1.1 to HOST:PORT, or to a UNIX socket by its path. Whatever breaks it is an OSError."""

    def __init__(self, address):
        if address.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address)
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(MOST_WAITED)

    def close(self):
        self.socket.close()

    def get(self, path):
        return self.exchange(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def post(self, path, media_type, body):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        return self.exchange(head.encode() + body)

    def exchange(self, request):
        """The status and the body of the answer."""
        self.socket.sendall(request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self.receive()
        head = received[:end].lower()
        at = head.index(b"content-length:") + 15
        length = int(head[at:].split(b"\r\n", 1)[0])
        pieces, missing = [received[end + 4 :]], length - len(received) + end + 4
        while missing > 0:
            pieces.append(self.receive())
            missing -= len(pieces[-1])
        return int(head[9:12]), b"".join(pieces)

    def receive(self):
        received = self.socket.recv(1 << 18)
        if not received:
            raise ConnectionResetError("the connection has ended in the middle of an answer")
        return received


def element(der, at):
    """Tag, begin and end of the content of the element there."""
    length, begin = der[at + 1], at + 2
    if length >= 0x80:
        begin += length - 0x80
        length = int.from_bytes(der[at + 2 : begin], "big")
    return der[at], begin, begin + length


def children(der, begin, end):
    while begin < end:
        tag, inner, begin = element(der, begin)
        yield tag, inner, begin


def inside(der, at, *path):
    """Walks down: into the element there, and then into its first, second … child as the path says."""
    found = element(der, at)
    for number in path:
        begin = found[1]
        for _ in range(number):
            begin = element(der, begin)[2]
        found = element(der, begin)
    return found


def encode(tag, *contents):
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 + len(octets))) + octets + content


def serial_octets(serial):
    return serial.to_bytes(serial.bit_length() // 8 + 1, "big")


def read_time(text):
    """UTCTime or GeneralizedTime, as the first 19 characters of RFC 3339 have it."""
    text = text.decode()
    text = text if len(text) == 15 else "20" + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}"


class Questions:
    """Requests about the certificates of one issuer, and what is said to them."""

    def __init__(self, issuer):
        """Of an issuer's certificate in DER."""
        fields = list(children(issuer, *inside(issuer, 0, 0)[1:]))
        subject = encode(0x30, issuer[fields[5][1] : fields[5][2]])
        # Without the octet that counts unused bits (RFC 6960 §4.1.1).
        _, (_, begin, end) = children(issuer, *fields[6][1:])
        key = issuer[begin + 1 : end]
        self.issuers = {}
        for name, algorithm in DIGESTS.items():
            hashes = (encode(4, hashlib.new(name, octets).digest()) for octets in (subject, key))
            self.issuers[name] = bytes.fromhex(algorithm) + b"".join(hashes)

    def ask(self, connection, serial, digest="sha1", by_get=False, nonce=None):
        """Status, reason and time of revocation."""
        cert_id = encode(0x30, self.issuers[digest], encode(2, serial_octets(serial)))
        extensions = b"" if nonce is None else encode(0xA2, encode(0x30, encode(0x30, NONCE, encode(4, encode(4, nonce)))))
        request = encode(0x30, encode(0x30, encode(0x30, encode(0x30, cert_id)), extensions))
        if by_get:
            status, der = connection.get("/ocsp/default/" + urllib.parse.quote(base64.b64encode(request), safe=""))
        else:
            status, der = connection.post("/ocsp/default", "application/ocsp-request", request)
        if status != 200 or der[inside(der, 0, 0)[1]] != 0:
            raise SystemExit(f"OCSP was answered with {status}: {der[:64].hex()}")
        if nonce is not None and nonce not in der:
            raise SystemExit("a nonce was not echoed")
        return read_answer(der, cert_id), der


def read_answer(der, cert_id):
    # OCSPResponse, [0], ResponseBytes, its OCTET STRING; in that BasicOCSPResponse, ResponseData.
    _, begin, _ = inside(der, 0, 1, 0, 1)
    _, begin, end = inside(der, begin, 0)
    responses = [field for field in children(der, begin, end) if field[0] == 0x30][0]
    single = list(children(der, *element(der, responses[1])[1:]))
    if der[element(der, responses[1])[1] : single[0][2]] != cert_id:
        raise SystemExit("an answer is about another certificate")
    tag, begin, end = single[1]
    if tag == 0x80:
        return GOOD, None, None
    if tag != 0xA1:
        raise SystemExit("a certificate that was issued is unknown")
    fields = list(children(der, begin, end))
    at = read_time(der[fields[0][1] : fields[0][2]])
    reason = der[inside(der, fields[1][1])[1]] if len(fields) > 1 else 0
    return (HELD if reason == HOLD else REVOKED), reason, at


class Crl:
    """A CRL as it was served; its entries as reason, time and invalidity date by serial number."""

    def __init__(self, der):
        self.der, self.sha256 = der, hashlib.sha256(der).digest()
        fields = list(children(der, *inside(der, 0, 0)[1:]))
        if inside(der, 0)[2] != len(der) or [field[0] for field in fields[:4]] != [2, 0x30, 0x30, 0x17]:
            raise SystemExit(f"this is no CRL: {der[:64].hex()}")
        self.this_update = read_time(der[fields[3][1] : fields[3][2]])
        found = extensions(der, *element(der, fields[-1][1])[1:])
        self.number = int.from_bytes(found[CRL_NUMBER][2:], "big")
        self.base = int.from_bytes(found[DELTA_INDICATOR][2:], "big") if DELTA_INDICATOR in found else None
        self.entries = {}
        for tag, begin, end in fields[5:-1]:
            self.read_entries(begin, end)

    def read_entries(self, begin, end):
        der = self.der
        while begin < end:
            _, _, after = element(der, begin)
            serial, entry = read_entry(der[begin:after])
            if serial in self.entries:
                raise SystemExit(f"CRL {self.number} has an entry twice: {serial:x}")
            self.entries[serial] = entry
            begin = after

    def onto(self, base):
        """What a complete list and this delta say together (RFC 5280 §5.2.4)."""
        merged = {**base.entries, **self.entries}
        return {serial: entry for serial, entry in merged.items() if entry[0] != REMOVED}


@functools.lru_cache(maxsize=None)
def read_entry(der):
    fields = list(children(der, *element(der, 0)[1:]))
    serial = int.from_bytes(der[fields[0][1] : fields[0][2]], "big")
    found = extensions(der, *fields[2][1:]) if len(fields) > 2 else {}
    reason = found[REASON][2] if REASON in found else 0
    since = read_time(found[INVALIDITY][2:]) if INVALIDITY in found else None
    return serial, (reason, read_time(der[fields[1][1] : fields[1][2]]), since)


def extensions(der, begin, end):
    found = {}
    for _, begin, after in children(der, begin, end):
        parts = list(children(der, begin, after))
        found[der[parts[0][1] : parts[0][2]]] = der[parts[-1][1] : parts[-1][2]]
    return found
