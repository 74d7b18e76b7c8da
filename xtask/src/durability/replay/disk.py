"""A folder on a disk, as it is after a power cut at any line of a log: what was synced is there, and of the rest whatever happens to be.

A write is on disk when a sync of its file that began after it has ended; a name when a sync of its folder has. A rename is never half done so
that there is no name: from one folder into another it is on disk when either is synced, and the old name is gone when its own folder is. Nothing
else is: no sync of one file is taken to bring another one along, as the journals of some file systems do. What is not on disk may be there, in part,
and in any order.
"""

import os
from dataclasses import dataclass, field

from log import NEVER, descriptor, path_at, path_of, paths_in, string

SECTOR = 512
# The index of the journal: memory that is shared. SQLite makes it anew when nobody has the ledger open; until then it may say anything.
SHARED_MEMORY = "-shm"
# What programs that are started here take away from the modes that they ask for.
UMASK = 0o022


@dataclass
class Change:
    """What was done to a file or to names, and since which line it is on disk."""

    begin: int
    end: float
    # Of a file: where, and what; without data the length. Of names: folder, name and what it stands for then.
    offset: int = 0
    data: bytes | None = None
    names: list = field(default_factory=list)
    # A rename needs what it renames.
    source: tuple | None = None
    since: float = NEVER


class Node:
    """A file or a folder, whatever its name is."""

    def __init__(self, is_folder, mode):
        self.is_folder, self.mode, self.changes, self.syncs = is_folder, mode, [], []
        # As programs see it.
        self.names, self.content = {}, bytearray()

    def on_disk_since(self, end):
        """The line at which the first sync has ended that began after a change had ended."""
        return min((synced for begun, synced in self.syncs if begun > end), default=NEVER)

    def change(self, change):
        self.changes.append(change)
        apply(self.content, change.offset, change.data)


def apply(content, offset, data):
    """A write, or, without data, a new length."""
    if data is None:
        del content[offset:]
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if data is not None:
        content[offset : offset + len(data)] = data


class Disk:
    """All that logs tell of a folder, which was empty or not there before the first of them."""

    def __init__(self, root, exists=False):
        self.parent, self.root = os.path.split(root)
        self.top, self.changes, self.files = Node(True, 0o700), [], []
        # Whole files as they were renamed into place, by path; None when one was removed.
        self.versions = {}
        self.opened, self.positions = {}, {}
        if exists:
            self.top.names[self.root] = self.make(True, 0o700)
            self.changes.append(Change(-1, -1, names=[(self.top, self.root, self.top.names[self.root])], since=-1))

    def make(self, is_folder, mode):
        node = Node(is_folder, mode)
        if not is_folder:
            self.files.append(node)
        return node

    def take(self, call):
        """Does what a call has done."""
        if call.end == NEVER and self.touches(call):
            raise SystemExit(f"{call.name} was cut off: nobody knows whether it was done")
        if call.end != NEVER:
            CALLS.get(call.name, Disk.refuse)(self, call)

    def other_than(self, path):
        """Names below a path that are not there as programs see them here, or not like that."""
        node, found = self.find(path), []
        for name in sorted(set(os.listdir(path)) | set(node.names)):
            inner, one = os.path.join(path, name), node.names.get(name)
            if one and one.is_folder and os.path.isdir(inner):
                found += self.other_than(inner)
            elif name.endswith(SHARED_MEMORY) or one is None and not os.path.isfile(inner):
                continue
            elif one is None or not os.path.isfile(inner) or read(inner) != one.content:
                found.append(inner)
        return found

    # Names.

    def parts(self, path):
        """The names below the parent of the root, if it is there."""
        if path is None or not path.startswith(f"{self.parent}/"):
            return None
        parts = path[len(self.parent) + 1 :].split("/")
        return parts if parts[0] == self.root else None

    def folder_of(self, path):
        """The folder of a path, and its last name."""
        node, (*before, last) = self.top, self.parts(path)
        for name in before:
            node = node.names[name]
        return node, last

    def find(self, path):
        if path == self.parent:
            return self.top
        if not self.parts(path):
            return None
        folder, name = self.folder_of(path)
        return folder.names.get(name)

    def name(self, call, changed, source=None):
        self.changes.append(Change(call.begin, call.end, names=changed, source=source))
        for folder, name, node in changed:
            folder.names.pop(name, None)
            if node:
                folder.names[name] = node

    def make_folder(self, call):
        path = path_of(call.arguments[0])
        if self.parts(path):
            self.name(call, [(*self.folder_of(path), self.make(True, int(call.arguments[1], 8) & ~UMASK))])

    def rename(self, call):
        if call.name == "rename":
            old, new = map(path_of, call.arguments)
        else:
            old, new = path_at(*call.arguments[:2]), path_at(*call.arguments[2:4])
        if not self.parts(old) and not self.parts(new):
            return
        source = (*self.folder_of(old), self.find(old))
        self.name(call, [(*source[:2], None), (*self.folder_of(new), source[2])], source)
        if not source[2].is_folder:
            self.versions.setdefault(new, []).append((call.begin, call.end, bytes(source[2].content)))

    def remove(self, call):
        path = path_at(*call.arguments[:2]) if call.name == "unlinkat" else path_of(call.arguments[0])
        if self.parts(path):
            self.name(call, [(*self.folder_of(path), None)])
            self.versions.setdefault(path, []).append((call.begin, call.end, None))

    def open(self, call):
        path, flags = path_at(*call.arguments[:2]), call.arguments[2].split(b"|")
        mode = int(call.arguments[3], 8) & ~UMASK if len(call.arguments) > 3 else 0
        node = self.find(path)
        if self.parts(path) and node is None:
            node = self.make(False, mode)
            self.name(call, [(*self.folder_of(path), node)])
        if node is None:
            return
        if b"O_APPEND" in flags:
            self.refuse(call)
        if b"O_TRUNC" in flags:
            node.change(Change(call.begin, call.end))
        self.opened[call.result], self.positions[call.result] = node, 0

    # Descriptors.

    def node_of(self, argument):
        """The number of a descriptor, and what it stands for below the root."""
        number, path, has_no_name = descriptor(argument)
        if has_no_name:
            return number, self.opened.get(number) if self.parts(path) else None
        return number, self.find(path)

    def write(self, call):
        number, node = self.node_of(call.arguments[0])
        if node is None:
            return
        data = string(call.arguments[1])[: call.result]
        offset = int(call.arguments[3]) if call.name == "pwrite64" else self.positions[number]
        if call.name == "write":
            self.positions[number] += len(data)
        node.change(Change(call.begin, call.end, offset, data))

    def seek(self, call):
        self.positions[descriptor(call.arguments[0])[0]] = call.result

    def cut_off(self, call):
        if node := self.node_of(call.arguments[0])[1]:
            node.change(Change(call.begin, call.end, int(call.arguments[1])))

    def sync(self, call):
        if node := self.node_of(call.arguments[0])[1]:
            node.syncs.append((call.begin, call.end))

    def map(self, call):
        is_written = b"PROT_WRITE" in call.arguments[2] and b"MAP_SHARED" in call.arguments[3]
        path = descriptor(call.arguments[4])[1]
        if is_written and path and not path.endswith(SHARED_MEMORY):
            self.refuse(call)

    def touches(self, call):
        # Not a socket: that is no file, and of no use after a power cut.
        return any(self.find(path) for path in paths_in(call))

    def refuse(self, call):
        if self.touches(call) or not call.arguments[0]:
            raise SystemExit(f"{call.name}({b', '.join(call.arguments)[:500]!r}) is not replayed")


def read(path):
    with open(path, "rb") as file:
        return file.read()


CALLS = {
    "write": Disk.write, "pwrite64": Disk.write, "ftruncate": Disk.cut_off, "lseek": Disk.seek, "mmap": Disk.map, "openat": Disk.open,
    "fsync": Disk.sync, "fdatasync": Disk.sync, "mkdir": Disk.make_folder, "rename": Disk.rename, "renameat2": Disk.rename,
    "unlink": Disk.remove, "unlinkat": Disk.remove, "rmdir": Disk.remove,
}
