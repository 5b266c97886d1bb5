"""The types of the values of operation_options.py."""

from typing import Final

from .mount_points import url_path
from .option_types import OptionType

_SCHEMES: Final = ("unix:", "http://", "https://")
"""What messages and other programs write in front of an address."""


def _admin(text: str) -> str:
    """An address with its port, or the path of a Unix socket, which has a slash."""
    if text.startswith(_SCHEMES):
        raise ValueError(f"has to be written without {next(filter(text.startswith, _SCHEMES))} in front")
    host, _, port = text.rpartition(":")
    is_address = host and port.isascii() and port.isdecimal() and int(port) <= 65535
    if "\0" in text or ("/" not in text and not is_address):
        raise ValueError("is neither an address such as 127.0.0.1:9188 or [::1]:9188 nor a path with a slash")
    return text


def _page(text: str) -> str:
    path = url_path(text).rstrip("/")
    if not path:
        raise ValueError("is the path of the whole site")
    return path


ADMIN: Final = OptionType("HOST:PORT|PATH", _admin, toml_string="127.0.0.1:9188")
PAGE: Final = OptionType("PATH", _page, toml_string="/health")
