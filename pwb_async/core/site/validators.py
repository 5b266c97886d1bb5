"""The validators of a file: its entity tag and Last-Modified (RFC 9110 8.8)."""

from typing import Final

from pwb_async.core.semantics.dates import is_placeholder
from pwb_async.core.semantics.entity_tags import EntityTag
from pwb_async.core.semantics.preconditions import Validators

from .lookup import OpenFile

_SECOND: Final = 1_000_000_000


def validators_of_file(found: OpenFile, coding: bytes = b"") -> Validators:
    """Return the validators of a file with a content coding, or with none.

    Last-Modified is never later than Date (RFC 9110 8.8.2.1), and absent if the time of the file is a placeholder. The
    coding is part of the tag, because the decoded file is another representation (RFC 9110 8.8.3.3).
    """
    seen, modified = found.seen_ns // _SECOND, found.mtime_ns // _SECOND
    last_modified = None if found.generated or is_placeholder(modified) else min(modified, seen)
    tag = None if found.tag is None else EntityTag(b"%s-%s" % (found.tag, coding) if coding else found.tag, False)
    return Validators(tag, last_modified, found.settled, seen)
