"""The values of --prefix and --mount: where a directory is served."""

from os import fsdecode
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from pwb_async.core.semantics.grammar import BAD_ESCAPE

from .errors import BadValueError


class MountPoint(NamedTuple):
    """A value of --mount: a directory, and where it is served."""

    path: str
    """The path of URLs, decoded; it begins and ends in a slash."""
    directory: str

    def __str__(self) -> str:
        return f"{self.path}={self.directory}"


def url_path(text: str) -> str:
    """A path of URLs, decoded, with a slash at both ends. Raises ValueError with the second half of a message."""
    if not text.startswith("/"):
        raise ValueError("does not begin with a slash, as /docs/ does")
    raw = text.encode(errors="surrogateescape")
    if BAD_ESCAPE.search(raw) or "?" in text or "#" in text:
        raise ValueError("is not a path such as /docs/ or /my%20docs/")
    names = [unquote_to_bytes(name) for name in raw[1:].removesuffix(b"/").split(b"/")]
    if names != [b""] and any(name in (b"", b".", b"..") or b"/" in name or b"\0" in name for name in names):
        raise ValueError("is not a path of names such as /docs/")
    return fsdecode(b"/%s/" % b"/".join(names)).replace("//", "/")


def mount_point(text: str) -> MountPoint:
    """The value of --mount that a text stands for. Raises ValueError, or BadValueError with a whole message."""
    path, equals, directory = text.partition("=")
    if not equals or not directory or "\0" in directory:
        raise ValueError("is not a path and a directory such as /docs/=build/html")
    try:
        return MountPoint(url_path(path), directory)
    except ValueError as error:
        raise BadValueError(f"{text!r}: {path!r} {error}.") from None
