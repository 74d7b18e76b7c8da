"""A gateway that is killed and started again on the same data and the same ports, and the harness of both protocols."""

import atexit
import json
import os
import signal
import socket
import subprocess
import threading
import time

CERTGATE, WORK = os.environ["CERTGATE"], os.environ["WORK"]
DATA = os.path.join(WORK, "data")
# Milliseconds after a request was sent at which the gateway is killed: before it was read, while it is recorded, after its answer.
MOMENTS = [0, 1, 2, 3, 5, 8, 12, 20, 50]
# Two profiles: policy alone decides, or a person too.
PROFILES = """
[[profile]]
name = "default"
authority = "default"
[[profile]]
name = "manual"
authority = "default"
approval = "manual"
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Gateway:
    def __init__(self, config):
        os.makedirs(DATA, mode=0o700, exist_ok=True)
        with open(os.path.join(DATA, "certgate.toml"), "w") as file:
            file.write(config)
        self.https, self.http, self.ops = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self.kills = 0
        self.start()
        # Whatever goes wrong, it is not left behind.
        atexit.register(lambda: self.process.kill())

    def command(self):
        return [CERTGATE, "--data-dir", DATA, "serve", "--https", self.https, "--http", self.http, "--ops", self.ops]

    def start(self):
        with open(os.path.join(WORK, "gateway.log"), "a") as log:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log, text=True)
        while True:
            line = self.process.stdout.readline()
            if line == "certgate ready\n":
                return
            check(line, "the gateway did not start: see gateway.log")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def restart(self):
        self.kill()
        self.start()

    def kill_after(self, milliseconds):
        """Kills it so long after now; what this returns is to be joined."""

        def run():
            time.sleep(milliseconds / 1000)
            self.kill()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def admin(self, *arguments):
        command = [CERTGATE, "--data-dir", DATA, "--output", "json", *arguments]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def certificates(self, name):
        """Those that the ledger has for a name."""
        items = self.admin("cert", "list", "--limit", "1000")["items"]
        return [item for item in items if any(san == f"dns:{name}" or san == name for san in item["sans"])]

    def approve(self):
        """Approves the one enrollment that waits."""
        waiting = self.admin("enrollment", "list", "--state", "pending")["items"]
        check(len(waiting) == 1, f"one request waits, not {len(waiting)}")
        self.admin("enrollment", "approve", waiting[0]["id"])

    def finish(self):
        report = self.admin("audit", "verify")
        check(report["ok"], f"the audit trail: {report}")
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(30) == 0, "the gateway did not end well")
        print(f"{self.kills} kills")


def check(holds, what):
    if not holds:
        raise SystemExit(what)
