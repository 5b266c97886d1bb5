"""What a store has of an object."""

from datetime import datetime
from typing import Any, NamedTuple

from pwb_async.storage.etag import SECOND


class ObjectStatus(NamedTuple):
    """What a store has of an object."""

    size: int
    """Bytes."""
    mtime_ns: int
    """When it was written, in whole seconds but as nanoseconds since the epoch."""
    etag: str
    """Its entity tag; "" for none."""


def status_of(meta: Any) -> ObjectStatus:
    """The status of an object as obstore has it."""
    modified: datetime = meta["last_modified"]
    tag = meta["e_tag"] or ""
    if tag and not tag.endswith('"'):  # as in a listing of some stores
        tag = f'"{tag}"'
    return ObjectStatus(meta["size"], int(modified.timestamp()) * SECOND, tag)
