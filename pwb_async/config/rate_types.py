"""The types of the values of rate_options.py."""

import re
from typing import Final

from pwb_async.core.site.limit_rules import PERIODS, RequestRate

from .option_types import OptionType
from .parsers import read_integer, read_size_or_0

_MIN_SEND_RATE: Final = 1024
"""Bytes a second; with fewer, a response of usual size would take minutes."""
_SECONDS: Final = {letter: seconds for seconds, letter in PERIODS.items()}


def _request_rate(text: str) -> RequestRate | None:
    if text == "off":
        return None
    parts = re.fullmatch(r"([0-9]{1,9}) ?(?:/|r/) ?([smh])", text)
    if not parts or not int(parts[1]):
        raise ValueError("is not a rate such as 20/s, 600/m or 1000/h, nor off")
    return RequestRate(int(parts[1]), _SECONDS[parts[2]])


def _send_rate(text: str) -> int:
    rate = read_size_or_0(text)
    if 0 < rate < _MIN_SEND_RATE:
        raise ValueError(f"is less than {_MIN_SEND_RATE} bytes a second")
    return rate


REQUEST_RATE: Final = OptionType("COUNT/s|m|h", _request_rate, zero_word="off", toml_string="20/s")
SEND_RATE: Final = OptionType("BYTES", _send_rate)
IPV6_PREFIX: Final = OptionType("BITS", lambda text: read_integer(text, 1, 128))
