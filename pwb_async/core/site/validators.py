"""The validators of a file: its entity tag and Last-Modified (RFC 9110 8.8)."""

from typing import Final

from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.entity_tags import EntityTag
from pwb_async.core.semantics.messages import FieldList
from pwb_async.core.semantics.preconditions import Validators

from .findings import OpenFile

_SECOND: Final = 1_000_000_000
_PLACEHOLDERS: Final = frozenset(
    (
        315532800,  # 1980-01-01, where the dates of ZIP begin
        318211200,  # 1980-02-01, Gradle
        456789000,  # 1984-06-22, Yarn
        499162500,  # 1985-10-26, npm
        1153704088,  # 2006-07-24, Cargo
    )
)
"""Modification times that build tools give to every file, so that their archives are reproducible."""


def validators_of_file(found: OpenFile, coding: bytes = b"") -> Validators:
    """The validators of a file with a content coding, or with none.

    Last-Modified is never later than Date (RFC 9110 8.8.2.1), and absent if the time of the file is a placeholder. It
    is a weak validator of a coded representation, whose bytes may change while the file does not. `coding` is that of a
    file whose name says so; it is part of the tag, because the decoded file is another representation (8.8.3.3).
    """
    seen, modified = found.seen_ns // _SECOND, found.mtime_ns // _SECOND
    last_modified = None if found.generated or is_placeholder(modified) else min(modified, seen)
    tag = None if found.tag is None else EntityTag(b"%s-%s" % (found.tag, coding) if coding else found.tag, False)
    return Validators(tag, last_modified, found.settled and not found.coding, seen)


def is_placeholder(mtime: int) -> bool:
    """Whether a modification time, in seconds since the epoch, was set by a build tool and means nothing.

    Nix and OSTree set 0 and 1; those of other tools are in _PLACEHOLDERS.
    """
    return mtime <= 1 or mtime in _PLACEHOLDERS


def validator_fields(current: Validators) -> FieldList:
    """Last-Modified and ETag, as far as there are any. The last one is the most exact."""
    date: FieldList = () if current.last_modified is None else ((b"Last-Modified", format_date(current.last_modified)),)
    return date if current.tag is None else (*date, (b"ETag", bytes(current.tag)))
