"""Preconditions, in the order of RFC 9110 13.2.2, and If-Range."""

from typing import NamedTuple

from .dates import parse_date, year_of
from .entity_tags import EntityTag, parse_tags
from .fields import Fields
from .grammar import ENTITY_TAG


class Validators(NamedTuple):
    """What tells one version of a representation from another.

    last_modified: seconds since the epoch. strong_date: the file cannot change any more within that second (RFC 9110
    8.8.2.2). seen: when this was true, seconds since the epoch.
    """

    tag: EntityTag | None
    last_modified: int | None
    strong_date: bool
    seen: int


def evaluate(fields: Fields, current: Validators) -> int | None:
    """412 or 304 where a precondition of a GET or HEAD says so, None where the answer goes its way."""
    if (wanted := fields.get(b"if-match")) is not None:
        if wanted != b"*" and not _any_strong(wanted, current.tag):
            return 412
    elif _changed_since(_date(fields, b"if-unmodified-since", current), current) is True:
        return 412
    if (known := fields.get(b"if-none-match")) is not None:
        if known == b"*" or _any_weak(known, current.tag):
            return 304
    elif _changed_since(_date(fields, b"if-modified-since", current), current) is False:
        return 304
    return None


def range_applies(fields: Fields, current: Validators) -> bool:
    """If-Range (RFC 9110 13.1.5): the client's part is of this very version; only strong validators can say so."""
    value = fields.get(b"if-range")
    if value is None:
        return True
    if match := ENTITY_TAG.fullmatch(value):
        return current.tag is not None and current.tag.strongly_matches(EntityTag(match[2], match[1] is not None))
    if current.last_modified is None or not current.strong_date:
        return False
    return current.last_modified == parse_date(value, year_of(current.seen))


def _date(fields: Fields, name: bytes, current: Validators) -> int | None:
    value = fields.get(name)
    return None if value is None else parse_date(value, year_of(current.seen))


def _changed_since(date: int | None, current: Validators) -> bool | None:
    """None: a field that is not there or holds no date, or a file without a date, decides nothing."""
    return None if date is None or current.last_modified is None else current.last_modified > date


def _any_strong(value: bytes, tag: EntityTag | None) -> bool:
    return tag is not None and any(map(tag.strongly_matches, parse_tags(value)))


def _any_weak(value: bytes, tag: EntityTag | None) -> bool:
    return tag is not None and any(map(tag.weakly_matches, parse_tags(value)))
