"""Certificates are revoked while others ask by OCSP and fetch CRLs, and the gateway is killed: nobody is told what is over."""

import json
import multiprocessing
import os
import random
import subprocess
import time

import lists
from gateway import DATA, WORK, Gateway, check
from wire import GOOD, HELD, REASONS, REVOKED, Connection, Questions

LOAD, COUNT = os.environ["CERTGATE_LOAD"], int(os.environ["COUNT"])
READERS, REVOKERS, KILLS = 16, 2, 3
CONFIG = """
[[authority]]
name = "root"
subject = "CN=Root"
[[authority]]
name = "default"
subject = "CN=Issuing"
issuer = "root"
crl = { delta = "1h" }
"""
USER = "race.example.com"
OUTCOMES = {"hold": HELD, "release": GOOD, "revoke": REVOKED}
# So many steps of a revoker lie between two steps of one certificate, so that CRLs come in between.
APART = 200
# Readers ask for certificates that are this near to what is being revoked, and now and then for any other.
NEAR = 25
# Between two queries of a reader, in seconds: revocations are to get on too.
PAUSE = 0.002
# How far, of all there is to do, a revoker goes on when a kill is due: it comes amid revocations, however fast they are.
SLACK = 0.05


def plan(index):
    """What becomes of a certificate, one step after the other. Behind the first COUNT are some that are never revoked."""
    if index >= COUNT:
        return ((), ("hold",), ("hold", "release"))[index % 3]
    return {0: ("hold", "release", "revoke"), 1: ("hold", "revoke")}.get(index % 8, ("revoke",))


class Race:
    """What all processes share. Step k of a certificate is asked for in phase 2k + 1, and acknowledged in phase 2k + 2."""

    def __init__(self, names, questions, first, http):
        self.names, self.serials = names, [int(name, 16) for name in names]
        self.questions, self.first, self.http = questions, first, http
        count = len(names)
        self.states = [[GOOD, *(OUTCOMES[step] for step in plan(index))] for index in range(count)]
        self.phases = multiprocessing.RawArray("B", count)
        self.acknowledged = [multiprocessing.RawArray("d", count) for _ in range(3)]
        self.seen_revoked = multiprocessing.RawArray("B", count)
        self.positions = multiprocessing.RawArray("i", REVOKERS)
        self.queries = multiprocessing.RawArray("q", READERS)
        # Odd while the gateway is away.
        self.epoch = multiprocessing.RawValue("i", 0)
        self.kills = multiprocessing.RawValue("i", 0)
        self.is_over = multiprocessing.RawValue("b", 0)
        self.agendas = [self.agenda(number) for number in range(REVOKERS)]

    def agenda(self, number):
        """Step and certificate, in the order in which a revoker takes them."""
        mine = range(number, len(self.serials), REVOKERS)
        steps = [(at + step * APART, index, step) for at, index in enumerate(mine) for step in range(len(plan(index)))]
        return [(index, step) for _, index, step in sorted(steps)]

    def possible(self, index, first, last):
        """What a certificate may be said to be by whoever asked in the one phase and was answered in the other."""
        return self.states[index][first // 2 : (last + 1) // 2 + 1]

    def phase_at(self, index, moment):
        """What was acknowledged by then."""
        return 2 * sum(0 < times[index] < moment for times in self.acknowledged)

    def progress(self):
        return sum(self.positions) / sum(map(len, self.agendas))

    def next_kill(self):
        """The progress at which it comes."""
        return (self.kills.value + 1) / (KILLS + 1)


class Client:
    """A connection that is made anew after the gateway was killed, and for no other reason."""

    def __init__(self, race, address):
        self.race, self.address, self.connection, self.epoch = race, address, None, 0

    def use(self, exchange):
        """What `exchange` makes of a connection, or nothing when the gateway was killed meanwhile."""
        while self.connection is None:
            self.epoch = self.race.epoch.value
            self.attempt(lambda: setattr(self, "connection", Connection(self.address)))
        return self.attempt(lambda: exchange(self.connection))

    def attempt(self, action):
        try:
            return action()
        except OSError as error:
            is_explained = self.epoch % 2 or self.epoch != self.race.epoch.value
            check(is_explained, f"{self.address}: {error!r}, and nobody has killed the gateway")
            self.connection = None
            time.sleep(0.02)
            return None


def read(race, number):
    """Asks by OCSP until it is over."""
    chance, client = random.Random(number), Client(race, race.http)
    while not race.is_over.value:
        index = choose(race, chance)
        way = {
            "digest": chance.choice(("sha1", "sha256")),
            "by_get": chance.random() < 0.5,
            "nonce": chance.randbytes(32) if chance.random() < 0.05 else None,
        }
        first, was_seen = race.phases[index], race.seen_revoked[index]
        answer = client.use(lambda connection: race.questions.ask(connection, race.serials[index], **way))
        if answer is None:
            continue
        (status, *_), der = answer
        possible = race.possible(index, first, race.phases[index])
        check(status in possible, f"{race.names[index]} is {status} after it was {possible[0]}: {way}")
        check(status == REVOKED or not was_seen, f"{race.names[index]} is {status} after it was seen revoked: {way}")
        if status == REVOKED:
            race.seen_revoked[index] = 1
        if race.queries[number] % 2000 == 0:
            keep(f"ocsp-{number}-{race.queries[number]}", der)
        race.queries[number] += 1
        time.sleep(PAUSE)


def choose(race, chance):
    if chance.random() < 0.2:
        return chance.randrange(len(race.serials))
    revoker = chance.randrange(REVOKERS)
    agenda = race.agendas[revoker]
    position = race.positions[revoker] + chance.randint(-NEAR, NEAR)
    return agenda[min(max(position, 0), len(agenda) - 1)][0]


def keep(name, der):
    with open(os.path.join(WORK, name), "wb") as file:
        file.write(der)


def revoke(race, number):
    """Takes one step after the other, and notes what was acknowledged. Of what was not, every other one is asked for again."""
    client, told, unanswered, abandoned = Client(race, os.path.join(DATA, "certgate.sock")), {}, 0, set()
    for position, (index, step) in enumerate(race.agendas[number]):
        race.positions[number] = position
        while position / len(race.agendas[number]) > race.next_kill() + SLACK:
            time.sleep(0.005)
        if index in abandoned:
            continue
        race.phases[index] = 2 * step + 1
        item = client.use(lambda connection: change(connection, race, index, step))
        if item is None:
            unanswered += 1
            if unanswered % 2:
                abandoned.add(index)
                continue
        while item is None:
            item = client.use(lambda connection: change(connection, race, index, step))
        race.acknowledged[step][index] = time.time()
        race.phases[index] = 2 * step + 2
        told[index] = item
    race.positions[number] = len(race.agendas[number])
    with open(os.path.join(WORK, f"told-{number}.json"), "w") as file:
        json.dump({"told": list(told.items()), "unanswered": unanswered}, file)


def change(connection, race, index, step):
    wish, action = {}, plan(index)[step]
    if action == "revoke":
        wish["reason"] = list(REASONS)[index // 8 % len(REASONS)]
        if index % 10 == 3:
            wish["invalidity_date"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 * index - 60))
    path = f"/v1/certificates/{race.names[index]}/{action}"
    status, body = connection.post(path, "application/json", json.dumps(wish).encode())
    check(status == 200, f"{path}: {status} {body.decode()}")
    return json.loads(body)


def follow(race):
    """Fetches CRLs until it is over."""
    client, watched = Client(race, race.http), lists.Watched(race)
    # Deltas are based on the first one, which may be gone before it is fetched.
    watched.take(race.first, time.time(), bytes(race.phases))
    while not race.is_over.value:
        for path in lists.PATHS:
            asked_at = time.time()
            answer = client.use(lambda connection: connection.get(path))
            if answer is not None:
                watched.take(lists.read(answer, path), asked_at, bytes(race.phases))
        time.sleep(0.02)
    watched.keep()


def enroll(gateway):
    """Certificates for all who take part: their serial numbers, in no order that means anything."""
    password = os.path.join(WORK, "password")
    with open(password, "w") as file:
        file.write(gateway.admin("est", "user", "add", USER)["password"])
    anchors, url = os.path.join(DATA, "ca", "root.pem"), f"https://{gateway.https}/.well-known/est"
    command = [LOAD, "enroll", "--url", url, "--ca-file", anchors, "--user", USER, "--password-file", password]
    command += ["--requests", str(COUNT + COUNT // 20), "--warm-up", "0", "--connections", "4"]
    measured = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    check(measured["errors"] == 0, f"enrollment: {measured}")
    connection, names, cursor = Connection(os.path.join(DATA, "certgate.sock")), [], ""
    while cursor is not None:
        status, body = connection.get(f"/v1/certificates?principal={USER}&limit=1000{cursor}")
        page = json.loads(body)
        names += [item["serial"] for item in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    random.Random(1).shuffle(names)
    return names


def kill(race, gateway):
    """Kills the gateway while everybody is at it; then every certificate is what was acknowledged, from the first answer on."""
    race.epoch.value += 1
    gateway.kill()
    gateway.start()
    race.epoch.value += 1
    connection = Connection(race.http)
    for index, serial in enumerate(race.serials):
        first = race.phases[index]
        status = race.questions.ask(connection, serial)[0][0]
        possible = race.possible(index, first, race.phases[index])
        check(status in possible, f"after a kill {race.names[index]} is {status}, and was {possible[0]}")
    race.kills.value += 1


def run(race, gateway):
    """The race itself: how long it took, and what is said in the end."""
    tasks = [(read, (race, number)) for number in range(READERS)] + [(follow, (race,))]
    others = [multiprocessing.Process(target=task, args=arguments, daemon=True) for task, arguments in tasks]
    revokers = [multiprocessing.Process(target=revoke, args=(race, number), daemon=True) for number in range(REVOKERS)]
    begun = time.monotonic()
    for process in others + revokers:
        process.start()
    while any(process.exitcode is None for process in revokers):
        if race.progress() > race.next_kill() and race.kills.value < KILLS:
            kill(race, gateway)
        check(not any(process.exitcode for process in others + revokers), "somebody was told what is not so: see above")
        time.sleep(0.02)
    seconds = time.monotonic() - begun
    end = lists.End(race)
    race.is_over.value = 1
    for process in others + revokers:
        process.join()
        check(process.exitcode == 0, "somebody was told what is not so: see above")
    return seconds, end


def main():
    gateway = Gateway(CONFIG)
    first, _ = (lists.read(Connection(gateway.http).get(path), path) for path in lists.PATHS)
    race = Race(enroll(gateway), Questions(lists.der_of(lists.ISSUER)), first, gateway.http)
    seconds, end = run(race, gateway)
    told = [json.load(open(os.path.join(WORK, f"told-{number}.json"))) for number in range(REVOKERS)]
    end.compare({index: item for one in told for index, item in one["told"]})
    end.verify(gateway)
    steps, queries, unanswered = sum(map(len, race.agendas)), sum(race.queries), sum(one["unanswered"] for one in told)
    with open(os.path.join(WORK, "numbers")) as file:
        numbers = file.read()
    print(f"{COUNT} revocations among {steps} changes ({steps / seconds:.0f}/s, {unanswered} never answered), "
          f"{queries} queries ({queries / seconds:.0f}/s), {numbers}, in {seconds:.0f} s")
    gateway.finish()


main()
