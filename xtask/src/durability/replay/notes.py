"""What somebody was told, and when: after so many octets of the log."""

import threading


class Notes:
    """What was told of each thing, as what the ledger has to say of it from then on."""

    def __init__(self, where):
        """`where` tells which log is written, and how many octets it has."""
        self.where, self.lock, self.told_of = where, threading.Lock(), {}
        # When a gateway was ready: what it had made by then was told of too.
        self.ready = []

    def tell(self, begun, thing, value):
        """Something is so, to whoever has asked for it since `begun`."""
        with self.lock:
            self.told_of.setdefault(thing, []).append((begun, self.where(), value))

    def is_ready(self):
        self.ready.append(self.where())

    def settle(self, logs):
        """Places in logs become lines."""

        def line(place):
            number, octets = place
            return logs[number].line_at(octets)

        self.ready = [line(place) for place in self.ready]
        for thing, told in self.told_of.items():
            self.told_of[thing] = sorted(((line(begun), line(at), value) for begun, at, value in told), key=lambda one: one[1])

    def lines(self):
        """The lines after which somebody knew more."""
        return sorted({at for told in self.told_of.values() for _, at, _ in told} | set(self.ready))

    def allowed(self, thing, up_to):
        """What may be so after a power cut at a line: what was told last, and what was asked for since. Anything, if nothing was told yet."""
        told = self.told_of[thing]
        known = [value for _, at, value in told if at <= up_to]
        return known[-1:] + [value for begun, at, value in told if begun <= up_to < at] if known else []
