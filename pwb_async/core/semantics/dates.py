"""Conversion between HTTP-date (RFC 9110 5.6.7) and whole seconds since the epoch."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_DAYS: Final = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_LONG_DAYS: Final = (b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday", b"Sunday")
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH: Final = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_TIME: Final = rb"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DAY: Final = rb"(?:" + b"|".join(_DAYS) + rb")"
_LONG_DAY: Final = rb"(?:" + b"|".join(_LONG_DAYS) + rb")"
_FORMATS: Final = (
    _DAY + rb", (?P<day>\d\d) " + _MONTH + rb" (?P<year>\d{4}) " + _TIME + rb" GMT",
    _LONG_DAY + rb", (?P<day>\d\d)-" + _MONTH + rb"-(?P<year>\d\d) " + _TIME + rb" GMT",
    _DAY + rb" " + _MONTH + rb" (?P<day>[ \d]\d) " + _TIME + rb" (?P<year>\d{4})",
)
"""IMF-fixdate, the format of RFC 850, and that of asctime(), which recipients must accept.

Regular expressions, which are compiled when the first date is parsed; a start is spared that."""
_LONGEST: Final = len(b"Wednesday, 06-Nov-94 08:49:37 GMT")
"""Bytes of the longest valid date. Anything longer is refused before it is kept as a key of the cache of dates."""


@lru_cache(1024)
def format_date(seconds: int) -> bytes:
    """A time as IMF-fixdate. Raises OverflowError or ValueError outside the years 1 to 9999."""
    when = datetime.fromtimestamp(seconds, UTC)
    return b"%s, %02d %s %04d %02d:%02d:%02d GMT" % (
        _DAYS[when.weekday()],
        when.day,
        _MONTHS[when.month - 1],
        when.year,
        when.hour,
        when.minute,
        when.second,
    )


def parse_date(value: bytes, this_year: int) -> int | None:
    """The time that an HTTP-date stands for, in any of the three formats, or None if it is not a valid one.

    A two-digit year that would be more than 50 years after `this_year` belongs to the century before. The day of the
    week is not compared with the date: a wrong one is accepted.
    """
    return _parse(value, this_year) if len(value) <= _LONGEST else None


@lru_cache(1024)
def _parse(value: bytes, this_year: int) -> int | None:
    for pattern in _FORMATS:
        if match := re.fullmatch(pattern, value):
            break
    else:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += this_year - this_year % 100
        year -= 100 if year > this_year + 50 else 0
    second = int(match["second"])
    second = 59 if second == 60 else second  # the time of the epoch does not count leap seconds
    try:
        month = _MONTHS.index(match["month"]) + 1
        when = datetime(year, month, int(match["day"]), int(match["hour"]), int(match["minute"]), second, tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp())


def year_of(seconds: float) -> int:
    """The year (UTC) of a time in seconds since the epoch, as parse_date() needs it."""
    return datetime.fromtimestamp(seconds, UTC).year
