"""What strace writes of programs that change files: complete data, and an order in which no call is before one that it had to wait for.

A call is written when it begins, before the kernel has done anything of it, and when it has ended, before its thread goes on. So what ended
on an earlier line than another call began was done before it. A call that is not known here and could change a file is an error, and so is
a log that lacks data: what is replayed is all that was done.
"""

import os
import re
from dataclasses import dataclass

NEVER = float("inf")
# Longer than anything that is written in one call.
LONGEST = 4 << 20
WRITES = ["write", "pwrite64", "ftruncate"]
SYNCS = ["fsync", "fdatasync"]
NAMES = ["openat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat"]
# Nothing of this is expected to be done to a file that is replayed.
OTHERS = [
    "open", "creat", "truncate", "writev", "pwritev", "pwritev2", "fallocate", "copy_file_range", "sendfile", "splice", "symlink", "symlinkat",
    "sync", "syncfs", "sync_file_range", "io_uring_setup", "io_submit",
]
SEEKS = ["lseek", "mmap", "fchmod", "chmod", "fchmodat"]
TRACED = ",".join(WRITES + SYNCS + NAMES + OTHERS + SEEKS)
BEGIN = re.compile(rb"(\d+) +(\w+)\((.*)")
RESUMED = re.compile(rb"(\d+) +<\.\.\. (\w+) resumed>(.*)")
END = re.compile(rb"(.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?:<([^>]*)>(\(deleted\))?)?(?: .*)?$", re.DOTALL)
DESCRIPTOR = re.compile(rb"(AT_FDCWD|-?\d+)<([^>]*)>(\(deleted\))?$")


def under_strace(log, command):
    """The command that runs another one and logs it. The process that is started is that of the command itself: strace is beside it."""
    options = ["-D", "-f", "-y", "-xx", "--seccomp-bpf", "-s", str(LONGEST), "-e", f"trace={TRACED}", "-o", log]
    return ["strace", *options, *command]


def has_ended(path):
    """Is the end of the program in the log? All its threads have ended before the one that began it."""
    with open(path, "rb") as file:
        first = file.read(20).split(b" ")[0]
        file.seek(max(0, os.path.getsize(path) - 200))
        return re.search(rb"\n%s +\+\+\+ " % first, file.read()) is not None


@dataclass
class Call:
    """A call that succeeded, or of which nobody knows whether it did: then it never ended."""

    name: str
    arguments: list
    begin: int
    end: float
    result: int | None
    # What a descriptor that it returned stands for.
    returned: str | None


class Log:
    """Calls in the order in which they ended. Lines are counted from `first`, so that one log goes on behind another."""

    def __init__(self, path, first=0):
        with open(path, "rb") as file:
            text = file.read()
        if not has_ended(path):
            raise SystemExit(f"{path} does not end with the end of a program")
        self.first, self.calls, self.ends, self.open = first, [], [], {}
        at = 0
        for number, line in enumerate(text.split(b"\n")):
            at += len(line) + 1
            self.ends.append(at)
            self.read(line, first + number)
        self.last = first + len(self.ends)
        self.calls += [call for call in (read_call(*begun, NEVER, b") = ?") for begun in self.open.values()) if call]

    def read(self, line, number):
        if resumed := RESUMED.match(line):
            name, begun, rest = self.open.pop(resumed[1])
            self.add(read_call(name, begun, rest, number, resumed[3]))
        elif begin := BEGIN.match(line):
            thread, name, rest = begin.groups()
            if rest.endswith(b" <unfinished ...>"):
                self.open[thread] = (name, number, rest[: -len(b" <unfinished ...>")])
            else:
                self.add(read_call(name, number, rest, number, b""))

    def add(self, call):
        if call:
            self.calls.append(call)

    def before(self, line, root):
        """What was done last below a folder up to a line, as a person would say it."""
        said = "its start"
        for call in self.calls:
            paths = [path for path in paths_in(call) if path and path.startswith(root)]
            if call.end <= line and paths:
                said = " ".join([call.name, *paths])
        return said

    def line_at(self, octets):
        """The line up to which a log was written that had so many octets."""
        low, high = 0, len(self.ends)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.ends[middle] <= octets else (low, middle)
        return self.first + low - 1


def paths_in(call):
    """Nothing for an argument that is none."""
    return [path_of(one) if one.startswith(b'"\\x2f') else descriptor(one)[1] for one in call.arguments]


def read_call(name, begin, rest, end, more):
    """Nothing if it failed."""
    found = END.match(rest + more)
    if not found:
        raise SystemExit(f"line {begin + 1} of a log cannot be read: {(rest + more)[:200]!r}")
    arguments, result, returned, _ = found.groups()
    if result.startswith(b"-"):
        return None
    if b'"...' in arguments:
        raise SystemExit(f"line {begin + 1} of a log lacks data")
    is_known = result != b"?"
    result = int(result, 0) if is_known else None
    returned = unescape(returned).decode() if returned is not None else None
    # Whatever could be a comma within a string or a path is escaped.
    return Call(name.decode(), arguments.split(b", "), begin, end if is_known else NEVER, result, returned)


def unescape(text):
    return bytes.fromhex(text.replace(b"\\x", b"").decode())


def string(argument):
    return unescape(argument[1:-1])


def descriptor(argument):
    """Number, path, and whether that has no name any more."""
    found = DESCRIPTOR.match(argument)
    if not found:
        return None, None, False
    number = None if found[1] == b"AT_FDCWD" else int(found[1])
    return number, os.fsdecode(unescape(found[2])) if found[2].startswith(b"\\x") else None, bool(found[3])


def path_at(folder, name):
    """The path that a name within an open folder stands for."""
    return os.path.normpath(os.path.join(descriptor(folder)[1], os.fsdecode(string(name))))


def path_of(name):
    return os.path.normpath(os.fsdecode(string(name)))
