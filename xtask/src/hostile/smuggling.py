"""Requests that two readers may read as different ones (RFC 9112 §11.2): each is refused, or ends its connection, so that what follows it is
never read as a request of its own.
"""

import sys

from wire import connect, finish, read, send, statuses

# What must not be answered.
NEXT = b"GET /ca/default.cer HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(*fields, version="1.1", body=b""):
    lines = [f"POST /ocsp/default HTTP/{version}", "Host: localhost", "Content-Type: application/ocsp-request", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


CHUNKED = "Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
SHAPES = {
    "Content-Length, then Transfer-Encoding": post("Content-Length: 4", CHUNKED, body=END),
    "Transfer-Encoding, then Content-Length": post(CHUNKED, "Content-Length: 4", body=END),
    "two lengths": post("Content-Length: 0", "Content-Length: 50"),
    "two lengths in one field": post("Content-Length: 0, 50"),
    "a length with a sign": post("Content-Length: +0"),
    "a length below zero": post("Content-Length: -1"),
    "a length in hexadecimal": post("Content-Length: 0x0"),
    "a length that is no number": post("Content-Length: zero"),
    "a length beyond 64 bits": post("Content-Length: 36893488147419103232"),
    "no length": post("Content-Length:"),
    "space before the colon": post("Content-Length : 0"),
    "space before a field": post(" Content-Length: 0"),
    "a folded field": post("X: a\r\n Content-Length: 0"),
    "identity after chunked": post("Transfer-Encoding: chunked, identity", body=END),
    "chunked twice": post("Transfer-Encoding: chunked, chunked", body=END),
    "another coding before chunked": post("Transfer-Encoding: gzip, chunked", body=END),
    "another coding": post("Transfer-Encoding: gzip", body=END),
    "almost chunked": post("Transfer-Encoding: xchunked", body=END),
    "chunked with a control character": post("Transfer-Encoding: \x0bchunked", body=END),
    "chunked in quotes": post('Transfer-Encoding: "chunked"', body=END),
    "two codings in two fields": post(CHUNKED, "Transfer-Encoding: identity", body=END),
    "chunked in HTTP/1.0": post(CHUNKED, version="1.0", body=END),
    "NUL in a field": post("X: a\0b", "Content-Length: 0"),
    "CR alone in a field": post("X: a\rContent-Length: 50", "Content-Length: 0"),
    "a chunk size with a prefix": post(CHUNKED, body=b"0x0\r\n\r\n"),
    "a chunk size below zero": post(CHUNKED, body=b"-0\r\n\r\n"),
    "a chunk size beyond 64 bits": post(CHUNKED, body=b"10000000000000000\r\n\r\n"),
    "a chunk that is longer than it says": post(CHUNKED, body=b"1\r\nabc\r\n0\r\n\r\n"),
    "a chunk extension with LF alone": post(CHUNKED, body=b"0;a\n\r\n\r\n"),
    "two hosts": b"GET /ca/root.cer HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n",
    "no host": b"GET /ca/root.cer HTTP/1.1\r\n\r\n",
    "space in the target": b"GET /ca/root.cer /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a version that is none": b"GET /ca/root.cer HTTP/1.9x\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /ca/root.cer\r\n\r\n",
    "HTTP/2 without its agreement": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method with a space in front": b" GET /ca/root.cer HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


# RFC 9112 §6.1 lets a server read these by Transfer-Encoding alone, if it closes the connection then.
MAY_BE_READ = {"Content-Length, then Transfer-Encoding", "Transfer-Encoding, then Content-Length"}


def main():
    counts, wrong = {}, []
    for name, octets in SHAPES.items():
        sock = connect()
        send(sock, octets + NEXT)
        finish(sock)
        answers = statuses(read(sock))
        outcome = answers[0] if answers else "closed"
        counts[outcome] = counts.get(outcome, 0) + 1
        if len(answers) > 1 or (answers and answers[0] < 400 and name not in MAY_BE_READ):
            wrong.append(f"{name}: {answers}")
    print("shapes of smuggling:", ", ".join(f"{count} x {outcome}" for outcome, count in sorted(counts.items(), key=str)))
    if wrong:
        sys.exit("; ".join(wrong))
