"""What a disk may hold after a power cut: all that was synced, and of the rest what chance leaves of it."""

import os
import random

from disk import SECTOR, SHARED_MEMORY, apply

# How much of what was not synced is there: nothing, all of it, some of the writes and names, or some sectors of each write.
KINDS = ("nothing", "everything", "some", "sectors")


def settle(disk):
    """Notes of each change since when it is on disk."""
    for node in disk.files:
        for change in node.changes:
            change.since = node.on_disk_since(change.end)
    for change in disk.changes:
        if change.begin >= 0:
            change.since = min(folder.on_disk_since(change.end) for folder, _, _ in change.names)


class Cut:
    """One of the states that a disk may be in when the power goes at a line."""

    def __init__(self, disk, line, kind, seed):
        self.disk, self.line, self.kind, self.chance = disk, line, kind, random.Random(seed)
        # How likely it is that something that was not synced is there; and do names go in their order, as by a journal?
        self.share, self.in_order = self.chance.choice((0.1, 0.5, 0.9)), self.chance.random() < 0.5

    def __str__(self):
        return f"a power cut at line {self.line} that leaves {self.kind} of what was not synced"

    def is_there(self):
        return self.kind == "everything" or self.kind != "nothing" and self.chance.random() < self.share

    def names(self):
        """What each folder names, by folder."""
        names, is_lost = {}, False
        for change in self.disk.changes:
            if change.begin > self.line:
                continue
            if change.since > self.line:
                is_lost = not self.is_there() or is_lost and self.in_order
                if is_lost or not is_possible(names, change):
                    continue
            for folder, name, node in change.names:
                if node is None and self.has_old_name_too(change):
                    continue
                within = names.setdefault(folder, {})
                within.pop(name, None)
                if node:
                    within[name] = node
        return names

    def has_old_name_too(self, change):
        """A file that was renamed into another folder, of which only that one was synced. A folder has one name at any time."""
        if not change.source or change.source[2].is_folder or len({folder for folder, _, _ in change.names}) == 1:
            return False
        return change.source[0].on_disk_since(change.end) > self.line and not self.is_there()

    def content(self, node):
        content = bytearray()
        for change in node.changes:
            if change.begin > self.line:
                continue
            if change.since <= self.line:
                apply(content, change.offset, change.data)
            elif self.kind == "sectors" and change.data:
                self.apply_sectors(content, change)
            elif self.is_there():
                apply(content, change.offset, change.data)
        return content

    def apply_sectors(self, content, change):
        """Some sectors; and the new length, or not: then zeros are there."""
        at, end = change.offset, change.offset + len(change.data)
        while at < end:
            after = min(end, at - at % SECTOR + SECTOR)
            if self.is_there():
                apply(content, at, change.data[at - change.offset : after - change.offset])
            at = after
        if len(content) < end and self.is_there():
            apply(content, end, b"")

    def read(self, path):
        """What is in a file, if it is there."""
        names, node = self.names(), self.disk.top
        for name in self.disk.parts(path):
            node = names.get(node, {}).get(name)
            if node is None:
                return None
        return bytes(self.content(node))

    def put(self, place):
        """Makes the folder, below a place that is there."""
        names = self.names()
        self.put_folder(names, self.disk.top, place)

    def put_folder(self, names, folder, place):
        for name, node in names.get(folder, {}).items():
            path = os.path.join(place, name)
            if node.is_folder:
                os.mkdir(path)
                os.chmod(path, node.mode)
                self.put_folder(names, node, path)
            elif not name.endswith(SHARED_MEMORY):
                write(path, self.content(node), node.mode)
            elif self.is_there():
                write(path, self.chance.randbytes(32768), node.mode)


def is_possible(names, change):
    """A name that is renamed must be there."""
    if not change.source:
        return True
    folder, name, node = change.source
    return names.get(folder, {}).get(name) is node


def write(path, content, mode):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
