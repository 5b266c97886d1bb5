"""Preconditions (RFC 9110 13): If-Match and its kin, evaluated in the order of 13.2.2, and If-Range."""

from typing import NamedTuple

from .dates import parse_date, year_of
from .entity_tags import EntityTag, parse_tags
from .fields import Fields
from .grammar import ENTITY_TAG


class Validators(NamedTuple):
    """The validators of a representation, which distinguish its versions (RFC 9110 8.8)."""

    tag: EntityTag | None
    """The entity tag."""
    last_modified: int | None
    """Seconds since the epoch."""
    strong_date: bool
    """Whether `last_modified` is a strong validator: the file cannot change within that second any more (8.8.2.2)."""
    seen: int
    """The time at which the file was examined, in seconds since the epoch."""


def evaluate(fields: Fields, current: Validators) -> int | None:
    """412 or 304 if a precondition of a GET or HEAD leads to it; None if the request is to proceed."""
    if (if_match := fields.get(b"if-match")) is not None:
        if if_match != b"*" and not _any_strong(if_match, current.tag):
            return 412
    elif _changed_since(_date(fields, b"if-unmodified-since", current), current) is True:
        return 412
    if (if_none_match := fields.get(b"if-none-match")) is not None:
        if if_none_match == b"*" or _any_weak(if_none_match, current.tag):
            return 304
    elif _changed_since(_date(fields, b"if-modified-since", current), current) is False:
        return 304
    return None


def range_applies(fields: Fields, current: Validators) -> bool:
    """Whether Range applies: If-Range is absent, or holds a strong validator that matches (RFC 9110 13.1.5)."""
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
    """Whether the representation changed after `date`; None if either of them has no date."""
    return None if date is None or current.last_modified is None else current.last_modified > date


def _any_strong(value: bytes, tag: EntityTag | None) -> bool:
    return tag is not None and any(map(tag.strongly_matches, parse_tags(value)))


def _any_weak(value: bytes, tag: EntityTag | None) -> bool:
    return tag is not None and any(map(tag.weakly_matches, parse_tags(value)))
