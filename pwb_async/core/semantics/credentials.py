"""Credentials of the Basic scheme (RFC 7617), as browsers, curl and wget send them."""

import binascii
from typing import Final

_SCHEME: Final = b"basic "


def parse_basic(value: bytes | None) -> tuple[bytes, bytes] | None:
    """The user and the password in a value of Authorization; None if it holds none.

    The scheme is case-insensitive, and missing padding is taken as sent, as nginx does.
    """
    if value is None or value[:6].lower() != _SCHEME:
        return None
    encoded = value[6:].strip(b" \t").rstrip(b"=")
    try:
        decoded = binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4), strict_mode=True)
    except binascii.Error:
        return None
    user, colon, password = decoded.partition(b":")
    return (user, password) if colon else None


def basic_challenge(realm: str) -> bytes:
    """The value of WWW-Authenticate that asks for credentials; browsers then send them in UTF-8."""
    quoted = realm.encode("ascii", "replace").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'Basic realm="%s", charset="UTF-8"' % quoted
