"""What an attacker sends, and what the gateway is to make of it: run as `attacks.py NAME`."""

import base64
import json
import os
import random
import select
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections import Counter

from wire import CA, HTTP, HTTPS, MOST_HELD, WORK, connect, connect_tls, finish, read, request, send, statuses

EST = "/.well-known/est/simpleenroll"
PKCS10 = "Content-Type: application/pkcs10"
OCSP_TYPE = "Content-Type: application/ocsp-request"
JOSE = "Content-Type: application/jose+json"
SCEP = "/scep/default/pkiclient.exe?operation=PKIOperation"
PASSWORD = base64.b64encode(f"bystander:{os.environ['PASSWORD']}".encode()).decode()
BASIC = f"Authorization: Basic {PASSWORD}"
rng = random.Random(20261129)


def check(holds, what):
    if not holds:
        sys.exit(what)


def told(counts):
    return ", ".join(f"{count} x {what or 'closed'}" for what, count in sorted(counts.items(), key=str))


def first(octets):
    return (statuses(octets) or [0])[0]


def is_served(octets):
    return any(200 <= status < 300 for status in statuses(octets))


def garbage():
    """Octets that mean nothing, to listeners of both kinds."""
    counts = Counter()
    for number in range(300):
        sock = connect(HTTPS if number % 2 else HTTP)
        send(sock, rng.randbytes(rng.choice([1, 5, 100, 4096, 100_000])))
        finish(sock)
        counts[first(read(sock))] += 1
    check(set(counts) <= {0, 400, 431}, f"garbage was answered {counts}")
    print("300 connections of garbage:", told(counts))


def truncated():
    """Requests that end too early, at every place."""
    with open(os.path.join(WORK, "ocsp.der"), "rb") as file:
        ocsp = request("POST", "/ocsp/default", file.read(), [OCSP_TYPE])
    with open(os.path.join(WORK, "csr.der"), "rb") as file:
        est = request("POST", EST, base64.b64encode(file.read()), [PKCS10, BASIC])
    counts = Counter()
    for whole, opens in [(ocsp, connect), (est, connect_tls)]:
        for end in range(1, len(whole), max(1, len(whole) // 120)):
            sock = opens()
            send(sock, whole[:end])
            finish(sock)
            answer = read(sock)
            check(not is_served(answer), f"{end} of {len(whole)} octets of a request were answered {answer[:100]}")
            counts[first(answer)] += 1
    check(set(counts) <= {0, 400, 408}, f"truncated requests were answered {counts}")
    print("requests cut short:", told(counts))


def large():
    """Bodies of 10 MB, announced and in chunks."""
    body = bytes(10_000_000)
    paths = [(EST, connect_tls, [PKCS10, BASIC]), ("/acme/default/new-account", connect_tls, [JOSE])]
    paths += [(SCEP, connect, []), ("/ocsp/default", connect, [OCSP_TYPE])]
    counts = Counter()
    for path, opens, fields in paths:
        for chunked in [False, True]:
            head = [*fields, "Transfer-Encoding: chunked"] if chunked else [*fields, f"Content-Length: {len(body)}"]
            framed = b"989680\r\n" + body + b"\r\n0\r\n\r\n" if chunked else body
            sock = opens()
            send(sock, request("POST", path, fields=[*head, "Connection: close"]) + framed)
            status = first(read(sock))
            check(status == 413, f"10 MB to {path} ({head[-1]}) were answered {status}")
            counts[status] += 1
    print("bodies of 10 MB:", told(counts))


def slow():
    """One octet at a time, and never enough of them: TLS handshakes, heads and bodies."""
    kinds = {
        "handshake": (lambda: connect(HTTPS), b"", b"\x16"),
        "head": (connect, b"POST /ocsp/default HTTP/1.1\r\n", b"X"),
        "head in TLS": (connect_tls, b"POST /acme/default/new-account HTTP/1.1\r\n", b"X"),
        "body": (connect, request("POST", "/ocsp/default", fields=[OCSP_TYPE, "Content-Length: 4000"]), b"0"),
        "body in TLS": (connect_tls, request("POST", EST, fields=[PKCS10, BASIC, "Content-Length: 4000"]), b"M"),
    }
    all_open = []
    for kind, (opens, start, more) in kinds.items():
        for _ in range(60):
            sock = opens()
            send(sock, start)
            sock.setblocking(False)
            all_open.append((kind, sock, more, time.monotonic()))
    lasted, answers = {}, Counter()
    while all_open:
        left = []
        for kind, sock, more, begun in all_open:
            try:
                sock.send(more)
                answer = sock.recv(4096)
                answers[kind, first(answer)] += 1
                lasted.setdefault(kind, []).append(time.monotonic() - begun)
                sock.close()
            except (BlockingIOError, ssl.SSLWantReadError):
                left.append((kind, sock, more, begun))
            except OSError:
                answers[kind, 0] += 1
                lasted.setdefault(kind, []).append(time.monotonic() - begun)
                sock.close()
        all_open = left
        time.sleep(0.5)
    for kind, seconds in lasted.items():
        status = {status: count for (one, status), count in answers.items() if one == kind}
        print(f"60 x slow {kind}: {told(status)}, after {min(seconds):.1f} to {max(seconds):.1f} s")
        # Limits of this gateway: 3 s for a handshake, 4 s for a head, 5 s for a body.
        check(max(seconds) < 9, f"a slow {kind} lasted {max(seconds):.1f} s")
    deaf()


def deaf():
    """Asks again and again, and never reads."""
    ask = request("GET", "/ca/default.cer") * 1000
    held = [connect() for _ in range(10)]
    for sock in held:
        sock.settimeout(0.2)
        try:
            for _ in range(10_000):
                sock.sendall(ask)
            check(False, "the gateway reads on from who does not read")
        except TimeoutError:
            pass
        except OSError:
            pass
    begun = time.monotonic()
    while held and time.monotonic() - begun < 20:
        held = [sock for sock in held if not is_reset(sock)]
        time.sleep(0.1)
    check(not held, f"{len(held)} that do not read are still connected")
    print(f"10 that do not read: cut after {time.monotonic() - begun:.1f} s")


def is_reset(sock):
    """Has the other end given up?"""
    try:
        sock.send(b"G")
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def bodies():
    """More bodies than there is room for connections, an octet at a time; who has to make way comes again."""
    clear = (connect, request("POST", "/ocsp/default", fields=[OCSP_TYPE, "Content-Length: 4000"]), b"0")
    in_tls = (connect_tls, request("POST", EST, fields=[PKCS10, BASIC, "Content-Length: 4000"]), b"M")
    held, came, answers = [], 0, Counter()
    begun = time.monotonic()
    while time.monotonic() - begun < 15:
        # The limit of this gateway is 1000, and of a body 20 s.
        for _ in range(min(100, 1100 - len(held))):
            opens, start, more = in_tls if came % 20 == 0 else clear
            came += 1
            try:
                sock = opens()
                send(sock, start)
                sock.setblocking(False)
                held.append((sock, more))
            except OSError:
                answers["turned away"] += 1
        left = []
        for sock, more in held:
            try:
                sock.send(more)
                answer = sock.recv(4096)
                answers[first(answer)] += 1
                sock.close()
            except (BlockingIOError, ssl.SSLWantReadError):
                left.append((sock, more))
            except OSError:
                answers[0] += 1
                sock.close()
        held = left
        time.sleep(0.1)
    print(f"{came} slow bodies, {len(held)} at the end:", told(answers))
    check(len(held) > 500, "the places were not held")
    for sock, _ in held:
        sock.close()


def idle():
    """More connections than there is room for, over which nothing comes."""
    count = min(5000, MOST_HELD)
    held = [connect(HTTPS if number % 2 else HTTP) for number in range(count)]
    time.sleep(8)
    gone = 0
    for sock in held:
        sock.setblocking(False)
        try:
            gone += sock.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            gone += 1
        sock.close()
    print(f"{count} idle connections: {gone} had to make way")
    check(gone >= count - 4096, "more were kept than there is room for")


def speaking():
    """As many connections as there is room for, each of which has begun to say something."""
    held = []
    for number in range(min(4096, MOST_HELD)):
        held.append(connect(HTTPS if number % 2 else HTTP))
        send(held[-1], b"\x16" if number % 2 else b"G")
    time.sleep(8)
    print(f"{len(held)} connections that have sent one octet")
    for sock in held:
        sock.close()


def heads():
    """Heads that have no end."""
    shapes = {
        "1000 fields": [f"X-{number}: {number}" for number in range(1000)],
        "a field of 1 MiB": ["X: " + "a" * 1024 * 1024],
        "a field name of 64 KiB": ["X" * 65536 + ": 1"],
        "a million empty lines": [],
    }
    for name, fields in shapes.items():
        counts = Counter()
        for _ in range(20):
            sock = connect()
            before = b"\r\n" * 1_000_000 if not fields else b""
            send(sock, before + request("GET", "/ca/default.cer", fields=fields))
            finish(sock)
            counts[first(read(sock))] += 1
        check(set(counts) <= {0, 400, 431} or not fields, f"{name}: {counts}")
        print(f"20 x {name}:", told(counts))
    counts = Counter()
    for _ in range(20):
        sock = connect()
        send(sock, request("GET", "/" + "a" * 100_000))
        counts[first(read(sock))] += 1
    check(set(counts) <= {0, 400, 414, 431}, f"a long target: {counts}")
    print("20 x a target of 100 KB:", told(counts))


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def is_ended(sock):
    try:
        while sock.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def floods():
    """Frames of HTTP/2 that cost their sender little: each connection is ended, or answers go on and nobody else notices."""
    # :method GET, :scheme https, :path /, and :authority as a literal.
    get = b"\x82\x87\x84\x41\x09localhost"
    literal = b"\x40\x05bombs\x7f\xe1\x1e" + b"a" * 4000
    shapes = {
        "CONTINUATION without an end": lambda: frame(1, 0, 1, get) + frame(9, 0, 1, b"\x00\x01x\x01y" * 2000) * 2000,
        "streams that are reset at once": lambda: b"".join(
            frame(1, 5, stream, get) + frame(3, 0, stream, b"\x00\x00\x00\x08") for stream in range(1, 40001, 2)
        ),
        "PING": lambda: frame(6, 0, 0, bytes(8)) * 100_000,
        "SETTINGS": lambda: frame(4, 0, 0) * 100_000,
        "a field that is repeated by its index": lambda: b"".join(
            frame(1, 5, stream, get + (literal if stream == 1 else b"") + b"\xbe" * 8000) for stream in range(1, 401, 2)
        ),
        "empty DATA": lambda: frame(1, 4, 1, b"\x83\x87\x84\x41\x09localhost") + frame(0, 0, 1) * 200_000,
    }
    for name, octets in shapes.items():
        counts = Counter()
        for _ in range(3):
            begun, sock = time.monotonic(), connect_tls(["h2"])
            sock.settimeout(1)
            send(sock, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
            try:
                send(sock, octets())
            except TimeoutError:
                counts["not read on"] += 1
            counts["ended" if is_ended(sock) else "goes on"] += 1
            sock.close()
            check(time.monotonic() - begun < 30, f"{name} held its sender for {time.monotonic() - begun:.0f} s")
        print(f"3 x {name}:", told(counts))


def hellos():
    """TLS that is almost right: a ClientHello with octets changed, old versions, records that are too long, and handshakes left alone."""
    context = ssl.create_default_context(cafile=CA)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    counts = Counter()
    for _ in range(500):
        changed = bytearray(hello)
        for _ in range(rng.randint(1, 8)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        counts[reaction(bytes(changed))] += 1
    print("500 ClientHellos with octets changed:", told(counts))
    others = {
        "SSL 2.0": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(37),
        "TLS 1.0": hello[:1] + b"\x03\x01" + hello[3:9] + b"\x03\x01" + bytes(34) + b"\x00\x02\x00\x2f\x01\x00",
        "a record of 65535": b"\x16\x03\x01\xff\xff" + bytes(65535),
        "a record of nothing, 10000 times": b"\x16\x03\x03\x00\x00" * 10_000,
        "alerts, 10000 times": b"\x15\x03\x03\x00\x02\x01\x5a" * 10_000,
        "application data first": b"\x17\x03\x03\x00\x10" + bytes(16),
        "HTTP in the clear": request("GET", "/.well-known/est/cacerts"),
    }
    for name, octets in others.items():
        seen = reaction(octets)
        check(seen != "ServerHello", f"{name} was taken for TLS")
        print(f"{name}: {seen}")


def reaction(octets):
    sock = connect(HTTPS)
    send(sock, octets)
    readable, _, _ = select.select([sock], [], [], 1)
    sock.settimeout(1)
    try:
        answer = sock.recv(16) if readable else b"?"
    except OSError:
        answer = b""
    sock.close()
    return {0x15: "alert", 0x16: "ServerHello", 0x3F: "waits for more"}.get(answer[0] if answer else 0, "closed")


def nested():
    """4000 levels of BER, and of JSON, where each protocol reads them."""
    levels = b""
    for _ in range(4000):
        levels = b"\x30\x80" + levels + b"\x00\x00"
    definite = b"\x02\x01\x00"
    for _ in range(4000):
        size = len(definite)
        length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
        definite = b"\x30" + length + definite
    answers = Counter()
    for octets in [levels, definite, b"\xa0\x80" * 4000, b"\x24\x80" * 4000, b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + levels]:
        in_base64 = base64.b64encode(octets)
        asked = [(connect_tls, request("POST", EST, in_base64, [PKCS10, BASIC, "Connection: close"]), {400})]
        asked += [(connect, request("POST", SCEP, octets, ["Connection: close"]), {400})]
        asked += [(connect, request("POST", "/ocsp/default", octets, [OCSP_TYPE, "Connection: close"]), {200})]
        json = b"[" * 4000 + b"]" * 4000
        asked += [(connect_tls, request("POST", "/acme/default/new-account", json, [JOSE, "Connection: close"]), {400})]
        for opens, octets_of_request, expected in asked:
            sock = opens()
            send(sock, octets_of_request)
            answer = read(sock)
            status = first(answer)
            check(status in expected, f"nested levels were answered {answer[:300]}")
            check(status != 200 or answer.endswith(b"\x30\x03\x0a\x01\x01"), "OCSP did not say malformedRequest")
            answers[status] += 1
    print("4000 levels: malformedRequest of OCSP is 200;", told(answers))


def wait():
    """One principal asks for more than may wait for a person, where very many others wait already, and an operator looks at them all."""
    counts = Counter()
    for number in range(40):
        key = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", os.devnull]
        csr = subprocess.run([*key, "-subj", "/CN=flood", "-outform", "DER"], check=True, capture_output=True).stdout
        credentials = base64.b64encode(f"flood:{os.environ['FLOOD_PASSWORD']}".encode()).decode()
        sock = connect_tls()
        fields = [PKCS10, f"Authorization: Basic {credentials}", "Connection: close"]
        send(sock, request("POST", "/.well-known/est/manual/simpleenroll", base64.b64encode(csr), fields))
        counts[first(read(sock))] += 1
    check(counts == {202: 32, 429: 8}, f"40 requests of one principal: {counts}")
    print("40 requests of one principal that wait:", told(counts))
    cursor, seen, longest = [], 0, 0.0
    command = [os.environ["CERTGATE"], "--data-dir", os.environ["DATA"], "--output", "json", "enrollment", "list", "--state", "pending"]
    while cursor is not None and seen < 20_000:
        begun = time.monotonic()
        page = json.loads(subprocess.run([*command, "--limit", "1000", *cursor], check=True, capture_output=True).stdout)
        longest, seen = max(longest, time.monotonic() - begun), seen + len(page["items"])
        cursor = ["--cursor", page["next"]] if page["next"] else None
    print(f"{seen} of those that wait, a page of 1000 after the other: the longest took {longest * 1000:.0f} ms")
    check(longest < 2, "a page takes too long")


def readers():
    """Ask for a CRL of a megabyte, and read nothing of it."""
    sock = connect()
    send(sock, request("GET", "/crl/default.crl", fields=["Connection: close"]))
    octets = len(read(sock))
    check(octets > 900_000, f"the CRL has {octets} octets")
    late, *held = [connect() for _ in range(300)]
    for sock in held:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        send(sock, request("GET", "/crl/default.crl"))
    send(late, request("GET", "/crl/default.crl", fields=["Connection: close"]))
    time.sleep(5)
    # Who reads after a while gets it whole.
    whole = read(late)
    check(is_served(whole) and len(whole) > 900_000, f"{len(whole)} octets of the CRL: {whole[:100]}")
    print(f"{len(held)} that asked for a CRL of {octets} octets and do not read it")


ATTACKS = {one.__name__: one for one in [garbage, truncated, large, slow, bodies, idle, speaking, heads, floods, hellos, nested, wait, readers]}
if __name__ == "__main__":
    if sys.argv[1] in ATTACKS:
        ATTACKS[sys.argv[1]]()
    else:
        # In a file of its own, since it is a table.
        import smuggling

        smuggling.main()
