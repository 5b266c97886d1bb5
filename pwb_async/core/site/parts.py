"""The content of a response as parts: pieces of an open file, and what stands between them."""

from typing import cast

from pwb_async.core.semantics.messages import FileSlice, Part
from pwb_async.core.semantics.ranges import ByteRange, Multipart

from .findings import OpenFile


def all_of(method: bytes, found: OpenFile) -> tuple[Part, ...]:
    """A whole file as a part; none for HEAD, or if the file is empty."""
    return () if method == b"HEAD" or not found.size else (slice_of(found, ByteRange(0, found.size)),)


def slice_of(found: OpenFile, part: ByteRange) -> Part:
    """A range of a file: bytes if its content is in memory, otherwise a slice of the open file."""
    if found.content is not None:
        return found.content[part.start : part.start + part.length]
    assert found.file is not None
    return FileSlice(found.file, part.start, part.length)


def multipart_parts(found: OpenFile, form: Multipart, ranges: list[ByteRange]) -> tuple[Part, ...]:
    """The parts of a multipart response with these ranges of a file."""
    parts: list[Part] = []
    for head, part in zip(form.heads, ranges, strict=True):
        parts += (head, slice_of(found, part))
    parts.append(form.end)
    # Content in memory becomes one part, because every part may cost a system call.
    return tuple(parts) if found.content is None else (b"".join(cast("list[bytes]", parts)),)
