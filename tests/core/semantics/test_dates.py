"""HTTP-date (RFC 9110 5.6.7)."""

import calendar
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.semantics.dates import format_date, parse_date, year_of
from tests.core.driver import quick

EXAMPLE = 784111777
YEAR_10000 = calendar.timegm((9999, 12, 31, 23, 59, 60))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param(b"Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE, id="9110-5.6.7-imf-fixdate"),
        pytest.param(b"Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE, id="9110-5.6.7-rfc850"),
        pytest.param(b"Sun Nov  6 08:49:37 1994", EXAMPLE, id="9110-5.6.7-asctime"),
        pytest.param(b"Wed Nov 16 08:49:37 1994", EXAMPLE + 864000, id="9110-5.6.7-asctime-two-digit-day"),
        pytest.param(b"Wednesday, 16-Nov-94 08:49:37 GMT", EXAMPLE + 864000, id="9110-5.6.7-longest"),
        pytest.param(b"Mon, 06 Nov 1994 08:49:37 GMT", EXAMPLE, id="9110-5.6.7-weekday-is-not-checked"),
        pytest.param(b"Thu, 01 Jan 1970 00:00:00 GMT", 0, id="epoch"),
        pytest.param(b"Wed, 31 Dec 1969 23:59:59 GMT", -1, id="before-the-epoch"),
        pytest.param(b"Fri, 31 Dec 9999 23:59:59 GMT", YEAR_10000 - 1, id="last-year"),
        pytest.param(b"Mon, 01 Jan 0001 00:00:00 GMT", -62135596800, id="first-year"),
        pytest.param(b"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800, id="leap-day"),
        pytest.param(b"Sat, 31 Dec 2016 23:59:60 GMT", 1483228799, id="9110-5.6.7-leap-second"),
        pytest.param(b"Fri, 29 Feb 2023 00:00:00 GMT", None, id="no-leap-day"),
        pytest.param(b"Sat, 31 Dec 2016 23:59:61 GMT", None, id="second-61"),
        pytest.param(b"Sat, 31 Dec 2016 24:00:00 GMT", None, id="hour-24"),
        pytest.param(b"Sat, 31 Dec 2016 23:60:00 GMT", None, id="minute-60"),
        pytest.param(b"Sat, 32 Dec 2016 23:00:00 GMT", None, id="day-32"),
        pytest.param(b"Sat, 00 Dec 2016 23:00:00 GMT", None, id="day-0"),
        pytest.param(b"Sat, 01 Dec 0000 23:00:00 GMT", None, id="year-0"),
        pytest.param(b"sun, 06 nov 1994 08:49:37 gmt", None, id="9110-5.6.7-case-sensitive"),
        pytest.param(b"Sun, 06 Nov 1994 08:49:37 UTC", None, id="9110-5.6.7-gmt-only"),
        pytest.param(b"Sun, 06 Nov 1994 08:49:37 +0000", None, id="9110-5.6.7-no-offset"),
        pytest.param(b"Sun, 6 Nov 1994 08:49:37 GMT", None, id="9110-5.6.7-one-digit-day"),
        pytest.param(b"Sun, 06 Nov 94 08:49:37 GMT", None, id="9110-5.6.7-two-digit-year"),
        pytest.param(b"Sun,06 Nov 1994 08:49:37 GMT", None, id="9110-5.6.7-no-space"),
        pytest.param(b"Sun, 06 Nov 1994  08:49:37 GMT", None, id="9110-5.6.7-two-spaces"),
        pytest.param(b"Mxxday, 06-Nov-94 08:49:37 GMT", None, id="9110-5.6.7-no-day-of-the-week"),
        pytest.param(b"Foo, 06 Nov 1994 08:49:37 GMT", None, id="9110-5.6.7-no-day-name"),
        pytest.param(b"Sun, 06 Foo 1994 08:49:37 GMT", None, id="9110-5.6.7-no-month"),
        pytest.param(b"Sun, 06 Nov 1994 08:49:37 GMT, x", None, id="9110-13.1.3-a-list"),
        pytest.param(b" Sun, 06 Nov 1994 08:49:37 GMT", None, id="white-space-before"),
        pytest.param(b"Sun, 06 Nov 1994 08:49:37 GMT\n", None, id="line-end-behind"),
        pytest.param("Sun, ٠٦ Nov 1994 08:49:37 GMT".encode(), None, id="B3-other-digits"),
        pytest.param(b"1994-11-06T08:49:37Z", None, id="iso-8601"),
        pytest.param(b"784111777", None, id="a-number"),
        pytest.param(b"0", None, id="zero"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"x" * 8000, None, id="long"),
    ],
)
def test_parse(value: bytes, seconds: int | None) -> None:
    assert parse_date(value, 2000) == seconds


@pytest.mark.parametrize(
    ("this_year", "two_digits", "year"),
    [
        (2026, 94, 1994),
        (2026, 26, 2026),
        (2026, 76, 2076),
        (2026, 77, 1977),
        (1999, 49, 1949),
        (1999, 99, 1999),
        (2000, 0, 2000),
        (2000, 50, 2050),
        (2000, 51, 1951),
        (2099, 0, 2000),
    ],
)
def test_9110_5_6_7_two_digit_years_more_than_50_ahead_are_past(this_year: int, two_digits: int, year: int) -> None:
    seconds = parse_date(b"Sunday, 06-Nov-%02d 08:49:37 GMT" % two_digits, this_year)
    assert seconds is not None
    assert year_of(seconds) == year


@given(st.integers(-62135596800, YEAR_10000 - 1))
@quick
def test_a_formatted_date_is_parsed_to_the_same_time(seconds: int) -> None:
    written = format_date(seconds)
    assert len(written) == 29
    assert parse_date(written, 2000) == seconds


@given(st.integers(0, YEAR_10000 - 1))
@quick
def test_format_date_agrees_with_the_standard_library(seconds: int) -> None:
    assert format_date(seconds) == formatdate(seconds, usegmt=True).encode()


@given(st.binary(max_size=40), st.integers(1, 9999))
@quick
def test_no_bytes_can_raise(value: bytes, year: int) -> None:
    assert parse_date(value, year) is None or isinstance(parse_date(value, year), int)
