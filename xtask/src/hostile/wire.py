"""Sockets for those who do not keep to the rules."""

import os
import re
import resource
import socket
import ssl

HTTPS, HTTP, OPS, CA, WORK = (os.environ[name] for name in ("HTTPS", "HTTP", "OPS", "CA", "WORK"))
# Longer than any limit that the gateway has.
PATIENCE = 45

most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
# Connections that this process may hold: where the limit of open files is low, fewer are tried.
MOST_HELD = most - 200


def address(where):
    host, port = where.rsplit(":", 1)
    return host, int(port)


def connect(where=HTTP):
    return socket.create_connection(address(where), timeout=PATIENCE)


def connect_tls(protocols=("http/1.1",)):
    context = ssl.create_default_context(cafile=CA)
    context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(connect(HTTPS), server_hostname="localhost")


def send(sock, octets):
    """Sends what the other end takes."""
    try:
        sock.sendall(octets)
    except (ConnectionError, ssl.SSLError):
        pass


def finish(sock):
    """No more is to come from here."""
    try:
        sock.unwrap() if isinstance(sock, ssl.SSLSocket) else sock.shutdown(socket.SHUT_WR)
    except (OSError, ValueError):
        pass


def read(sock):
    """Everything until the other end has no more; what was lost with the connection is lost."""
    pieces = []
    try:
        while piece := sock.recv(65536):
            pieces.append(piece)
    except TimeoutError:
        raise SystemExit(f"a connection was open for more than {PATIENCE} s") from None
    except (OSError, ValueError):
        pass
    sock.close()
    return b"".join(pieces)


def statuses(octets):
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", octets)]


def request(method, path, body=b"", fields=(), host="localhost"):
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
