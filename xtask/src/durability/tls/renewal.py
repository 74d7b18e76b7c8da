"""The server certificate is renewed when the clock moves, and changed by the operator, while clients ask: none of them fails."""

import json
import os
import select
import signal
import subprocess
import time

from gateway import CERTGATE, DATA, WORK, Gateway, check
from load import Load

# Python sleeps until a moment, which libfaketime refuses where it leaves the clock of timers as it is.
time.sleep = lambda seconds: select.select([], [], [], seconds)
OFFSET = os.environ["OFFSET"]
CERT, KEY = (os.path.join(WORK, name) for name in ("server.pem", "server.key"))
FILES = f'[tls]\nsource = "files"\ncert = "{CERT}"\nkey = "{KEY}"\n'
# Past two thirds of 90 days, and before their end.
DAYS = 61
# How long a change may take to be seen, and how long clients go on asking after it, in seconds.
PATIENCE, AFTER = 40, 2
LEAF = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n"
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=WORK)


def make_root():
    openssl("req", "-x509", *EC, "-keyout", "root.key", "-out", "root.pem", "-days", "365", "-subj", "/CN=Operator")
    return os.path.join(WORK, "root.pem")


def issue(name, days="90", extensions=LEAF):
    """A server certificate and its key, in files of this name."""
    with open(os.path.join(WORK, "leaf.cnf"), "w") as file:
        file.write(extensions)
    openssl("req", "-new", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=server")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", days, "-extfile", "leaf.cnf",
            "-out", f"{name}.pem")
    return read(f"{name}.pem"), read(f"{name}.key")


def read(name):
    with open(os.path.join(WORK, name)) as file:
        return file.read()


def put(certificate, key):
    for path, text in ((CERT, certificate), (KEY, key)):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)


def configure(text):
    with open(os.path.join(DATA, "certgate.toml"), "w") as file:
        file.write(text)


def move(days):
    """Sets the clock of everything, this process too."""
    with open(OFFSET + ".new", "w") as file:
        file.write(f"+{days * 86_400}\n")
    os.replace(OFFSET + ".new", OFFSET)


def await_other(load, serial, what):
    begun = time.monotonic()
    while (shown := load.shown()) == serial:
        check(time.monotonic() - begun < PATIENCE, f"{what}: still the same certificate after {PATIENCE} s")
        time.sleep(0.1)
    print(f"{what}: another certificate is shown after {time.monotonic() - begun:.1f} s")
    time.sleep(AFTER)
    check(not load.failures, f"{what}: {load.failures[:3]}")
    return shown


def reload():
    """Exit code, and what was said."""
    command = [CERTGATE, "--data-dir", DATA, "--output", "json", "config", "reload"]
    run = subprocess.run(command, capture_output=True, text=True)
    return run.returncode, json.loads(run.stdout or run.stderr)


def break_things(load, shown):
    """Whatever is broken is refused, and nobody is shown it."""
    certificate, key = read("second.pem"), read("second.key")
    short = issue("short", days="1")
    other = issue("other", extensions=LEAF.replace("serverAuth", "clientAuth"))
    for what, pair, config, said in (
        ("another's key", (certificate, short[1]), FILES, "is not the key of the certificate"),
        ("half a certificate", (certificate[:200], key), FILES, "was it cut off?"),
        ("no key", (certificate, ""), FILES, "is empty"),
        ("swapped", (key, certificate), FILES, "are cert and key of [tls] swapped?"),
        ("a client's", other, FILES, "is not for servers"),
        ("a name that is not there", (certificate, key), FILES + 'required_sans = ["pki.example"]\n', "lacks dns:pki.example"),
        ("a file with a fault", (certificate, key), FILES + 'sauce = "x"\n', "certgate.toml:5: unknown key"),
    ):
        put(*pair)
        configure(config)
        code, answer = reload()
        check(code == 1 and said in answer["error"]["message"], f"{what}: {code} {answer}")
        check(load.shown() == shown, f"{what} is shown")
        check(not load.failures, f"{what}: {load.failures[:3]}")


def main():
    root = make_root()
    gateway = Gateway("")
    password = gateway.admin("est", "user", "add", "load")["password"]
    load = Load(gateway, [root, os.path.join(DATA, "ca/root.pem")], password)
    shown = load.shown()
    time.sleep(AFTER)
    move(DAYS)
    shown = await_other(load, shown, f"{DAYS} days later")
    put(*issue("first"))
    configure(FILES)
    gateway.process.send_signal(signal.SIGHUP)
    shown = await_other(load, shown, "SIGHUP with the operator's files")
    put(*issue("second"))
    gateway.process.send_signal(signal.SIGHUP)
    shown = await_other(load, shown, "SIGHUP with other files")
    break_things(load, shown)
    configure("")
    code, answer = reload()
    check(code == 0 and "server certificate" in answer["reloaded"] and not answer["needs_restart"], f"back: {code} {answer}")
    await_other(load, shown, "back to certgate's own")
    failures = load.end()
    check(not failures, f"{len(failures)} requests failed: {failures[:3]}")
    check(all(count >= 50 for count in load.counts.values()), f"too few requests: {load.counts}")
    print(", ".join(f"{count} {kind}" for kind, count in load.counts.items()) + ", and none failed")
    gateway.finish()


main()
