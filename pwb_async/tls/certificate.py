"""What a server needs of its own certificates: the names that they are for, and when they are valid (RFC 5280).

The standard library shows this of a peer's certificate only. A certificate is read here after OpenSSL has accepted it.
"""

import time
from calendar import timegm
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_OCTET_STRING: Final = 0x04
_UTC_TIME: Final = 0x17
_EXTENSIONS: Final = 0xA3
"""The tag [3] in a TBSCertificate."""
_DNS_NAME: Final = 0x82
"""The tag [2] in a GeneralName."""
_SUBJECT_ALT_NAME: Final = b"\x55\x1d\x11"
"""The object identifier 2.5.29.17 (RFC 5280 4.2.1.6)."""
_ISSUER, _VALIDITY, _SUBJECT = 1, 2, 3
"""Their places among the sequences in a TBSCertificate, of which the first one is the signature."""


class Certificate(NamedTuple):
    """The names in a certificate and its validity. Times are in seconds since the epoch."""

    names: tuple[str, ...]
    """The host names, in lower case; "*." in front stands for one further label. Addresses are not among them."""
    not_before: int
    not_after: int
    issuer: bytes = b""
    """The name of the authority that has signed it, in DER."""

    def is_about_to_end(self, now: float) -> bool:
        """Whether less than a quarter of its lifetime is left."""
        return self.not_after - now < (self.not_after - self.not_before) / 4

    def describe_end(self, now: float) -> str:
        """When it ends, for a message."""
        days = (self.not_after - now) / 86400
        when = format_time(self.not_after)
        return f"it ends on {when}, in {days:.1f} days" if days > 0 else f"it expired on {when}"

    def covers(self, name: str) -> bool:
        """Whether it is for the host `name`, which is in lower case and may be a wildcard itself (RFC 9525 6.3)."""
        return name in self.names or wildcard(name) in self.names


def wildcard(name: str) -> str:
    """The wildcard that stands for a name: "*.example.com" for "www.example.com"."""
    return f"*.{name.partition('.')[2]}"


def format_time(seconds: float) -> str:
    """A time in seconds since the epoch, for a message."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def parse_certificate(der: bytes) -> Certificate:
    """The certificate that is encoded in `der`, which must be well-formed."""
    fields = _fields(der)
    sequences = _sequences(fields)
    not_before, not_after = (_seconds(tag, content) for tag, content in _elements(sequences[_VALIDITY]))
    extensions = next((content for tag, content in fields if tag == _EXTENSIONS), b"")
    names = tuple(dict.fromkeys(_host_names(extensions)))
    return Certificate(names, not_before, not_after, sequences[_ISSUER])


def subject_of(der: bytes) -> bytes:
    """The name of the certificate that is encoded in `der`, which must be well-formed, in DER."""
    return _sequences(_fields(der))[_SUBJECT]


def _fields(der: bytes) -> list[tuple[int, bytes]]:
    """The elements of its TBSCertificate."""
    _, certificate = next(_elements(der))
    _, signed = next(_elements(certificate))
    return list(_elements(signed))


def _sequences(fields: Iterable[tuple[int, bytes]]) -> list[bytes]:
    return [content for tag, content in fields if tag == _SEQUENCE]


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and the content of each DER element in `data` (X.690 8.1)."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size])
            at += size
        yield tag, data[at : at + length]
        at += length


def _host_names(extensions: bytes) -> Iterator[str]:
    for _, sequence in _elements(extensions):
        for _, extension in _elements(sequence):
            parts = dict(_elements(extension))
            if parts[_OBJECT_IDENTIFIER] == _SUBJECT_ALT_NAME:
                _, names = next(_elements(parts[_OCTET_STRING]))
                yield from (name.decode("ascii").lower() for tag, name in _elements(names) if tag == _DNS_NAME)


def _seconds(tag: int, content: bytes) -> int:
    """The time of a UTCTime or a GeneralizedTime (RFC 5280 4.1.2.5)."""
    text = content.decode("ascii").rstrip("Z")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    year, rest = int(text[:4]), text[4:]
    return timegm((year, *(int(rest[at : at + 2]) for at in range(0, 10, 2))))
