"""Basic credentials (RFC 7617), and the challenge that asks for them."""

from binascii import b2a_base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.semantics.credentials import basic_challenge, parse_basic


@pytest.mark.parametrize(
    ("value", "credentials"),
    [
        (b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", (b"Aladdin", b"open sesame")),
        (b"Basic dGVzdDoxMjPCow==", (b"test", b"123\xc2\xa3")),
        (b"bASIC QWxhZGRpbjpvcGVuIHNlc2FtZQ", (b"Aladdin", b"open sesame")),
        (b"Basic  \tYTpiOmM= ", (b"a", b"b:c")),
        (b"Basic Og==", (b"", b"")),
        (None, None),
        (b"", None),
        (b"Basic", None),
        (b"Basic ", None),
        (b"Basic Ym9i", None),
        (b"Basic !!!!", None),
        (b"Basic YTpi YTpi", None),
        (b"Basic YTpiY", None),
        (b"Bearer YTpi", None),
        (b"BasicYTpi", None),
    ],
)
def test_credentials(value: bytes | None, credentials: tuple[bytes, bytes] | None) -> None:
    assert parse_basic(value) == credentials


def test_a_realm_is_quoted() -> None:
    assert basic_challenge('My "re\\alm"') == rb'Basic realm="My \"re\\alm\"", charset="UTF-8"'
    assert basic_challenge("größe") == b'Basic realm="gr??e", charset="UTF-8"'


@given(st.binary(max_size=200))
def test_any_credentials_are_some_or_none(value: bytes) -> None:
    credentials = parse_basic(b"Basic " + b2a_base64(value, newline=False))
    assert credentials == ((value.split(b":", 1)[0], value.split(b":", 1)[1]) if b":" in value else None)
    parse_basic(value)
