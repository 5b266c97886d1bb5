"""The names in an archive, and where in it each is described.

Only names and positions are kept, about 100 bytes a member and its name; what else an archive has of a member is read
when the member is looked up. Of members with the same name the last one counts, as it does for programs that unpack.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_MEMBERS: Final = 1_000_000
"""Members of the largest archive that is served."""
_LONGEST_NAME: Final = 4095
_LINKS: Final = 40
"""Symbolic links in one path; Linux follows as many."""


class ArchiveError(Exception):
    """An archive cannot be served. Its str is the second half of a message, such as "is no ZIP archive"."""


class Member(NamedTuple):
    """What an archive has of a file: where its bytes are, and what they are."""

    size: int
    """Bytes of the file."""
    mtime_ns: int
    """The modification time, in nanoseconds since the epoch."""
    start: int
    """Where its bytes begin in the archive."""
    length: int
    """Bytes that it takes there."""
    method: int
    """How it is compressed, by the numbers of ZIP: 0 for not at all."""
    checksum: int | None = None
    """The CRC-32 of the file; None if the archive has none."""
    encrypted: bool = False


class Index:
    """The names of an archive, sorted."""

    left_out: int
    """Members whose names lead out of the archive, or that are neither file, directory nor link."""
    example: bytes
    """The name of one of them."""

    def __init__(self) -> None:
        self._found: dict[bytes, int] = {}
        self._links: dict[bytes, bytes] = {}
        self._names: list[bytes] = []
        self._positions: array[int] = array("Q")
        self.left_out = 0
        self.example = b""

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: bytes, position: int) -> None:
        """Add a file, or with a slash behind its name a directory. Raises ArchiveError if there are too many."""
        path = plain_path(name)
        if path is None:
            self.leave_out(name)
        elif path:
            self._links.pop(path, None)
            self._found[path + b"/" if name.endswith(b"/") else path] = position
            if len(self._found) + len(self._links) > MAX_MEMBERS:
                raise ArchiveError(f"has more than {MAX_MEMBERS} members")

    def add_link(self, name: bytes, target: bytes) -> None:
        """Add a symbolic link. Raises ArchiveError."""
        path = plain_path(name)
        if not path or target.startswith(b"/"):
            self.leave_out(name)
            return
        self._found.pop(path, None)
        self._links[path] = target
        if len(self._found) + len(self._links) > MAX_MEMBERS:
            raise ArchiveError(f"has more than {MAX_MEMBERS} members")

    def add_hard_link(self, name: bytes, target: bytes) -> None:
        """Add another name of a file that has been added before."""
        path = plain_path(target)
        if path in self._found:
            self.add(name, self._found[path])
        else:
            self.leave_out(name)

    def leave_out(self, name: bytes) -> None:
        """Count a member that is not served."""
        self.left_out += 1
        self.example = self.example or name

    def complete(self) -> None:
        """Sort the names; none is added afterwards."""
        # A link is an entry of its directory, too; its position is never used.
        self._found.update(dict.fromkeys(self._links, 0))
        self._names = sorted(self._found)
        self._positions = array("Q", map(self._found.__getitem__, self._names))
        self._found = {}

    def position(self, path: bytes) -> int | None:
        """The position of a file, beneath no link; None if there is none."""
        place = bisect_left(self._names, path)
        is_there = place < len(self._names) and self._names[place] == path
        return self._positions[place] if is_there and path not in self._links else None

    def is_directory(self, path: bytes) -> bool:
        """Whether a path, beneath no link, is a directory: it has an entry of its own, or others are beneath it."""
        prefix = path + b"/"
        place = bisect_left(self._names, prefix)
        return not path or (place < len(self._names) and self._names[place].startswith(prefix))

    def resolve(self, path: bytes) -> bytes | None:
        """A path without symbolic links; None if they lead out of the archive, or round in a circle."""
        if not self._links:
            return path
        for _ in range(_LINKS):
            link = next((end for end in prefixes(path) if end in self._links), None)
            if link is None:
                return path
            joined = join(link.rpartition(b"/")[0], self._links[link] + path[len(link) :])
            if joined is None:
                return None
            path = joined
        return None

    def entries(self, path: bytes) -> Iterator[tuple[bytes, bool, bool]]:
        """Yield the entries of a directory beneath no link: the name, whether it is a directory, whether it is a link.

        What a link leads to is not known here, so a link counts as no directory.
        """
        names, prefix = self._names, path and path + b"/"
        place = bisect_left(names, prefix)
        while place < len(names) and names[place].startswith(prefix):
            name, slash, _ = names[place][len(prefix) :].partition(b"/")
            if slash and name:
                yield name, True, False
                place = bisect_left(names, prefix + name + b"0", place)  # behind all that is in it: "0" follows "/"
                continue
            if name:
                yield name, False, prefix + name in self._links
            place += 1


def plain_path(name: bytes) -> bytes | None:
    """The name of a member as a path beneath the root, where ./a is a; None if it leads elsewhere."""
    while name.startswith(b"./"):
        name = name[2:]
    path = name[:-1] if name.endswith(b"/") else name
    if path in (b"", b"."):
        return b""
    if b"\0" in path or len(path) > _LONGEST_NAME:
        return None
    if b"/." in path or b"//" in path or path.startswith((b"/", b".")):
        names = path.split(b"/")
        if b"" in names or b"." in names or b".." in names:
            return None
    return path


def prefixes(path: bytes) -> Iterator[bytes]:
    """Yield a path up to the end of each of its names, the shortest first."""
    end = path.find(b"/")
    while end >= 0:
        yield path[:end]
        end = path.find(b"/", end + 1)
    yield path


def join(directory: bytes, target: bytes) -> bytes | None:
    """The path to which a relative link in a directory leads; None if that is out of the root."""
    names = directory.split(b"/") if directory else []
    for name in target.split(b"/"):
        if name == b"..":
            if not names:
                return None
            names.pop()
        elif name not in (b"", b"."):
            names.append(name)
    return b"/".join(names)
