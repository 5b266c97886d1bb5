"""The field section of a request (RFC 9110 5)."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

CHUNKED: Final = -1
"""content_length of a request whose content comes in chunks."""

_CONDITIONS: Final = (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range")
_CONDITIONAL: Final = (*_CONDITIONS, b"range")
_NOT_PLAIN: Final = frozenset((*_CONDITIONAL, b"content-length", b"transfer-encoding", b"expect"))
NEVER_TRAILERS: Final = _NOT_PLAIN | {b"host"}
"""Fields that must not stand in a trailer section, since they would change what the request means (RFC 9110 6.5.1)."""
Variant: TypeAlias = Callable[["Fields"], bytes]
"""A pure function that gives equal keys to fields that select the same representations of every target."""


class Fields:
    """Values by lower-case name, and what every request is asked: host, framing, persistence, expectations.

    logged: what a log line says of them, once it has been made; a browser repeats its fields.
    plain: nothing in this section can change the answer to a GET: no condition, range, content or expectation.
    variant: the key of the representation that these fields select, as the site declares it (RFC 9110 12.5.5, Vary);
    b"" where the site declares nothing.
    conditions: the conditions and the range, as they were sent; equal ones have equal answers.
    """

    __slots__ = (
        "_values",
        "close",
        "conditions",
        "content_length",
        "expects_continue",
        "host",
        "keep_alive",
        "logged",
        "plain",
        "unknown_expectation",
        "variant",
    )

    def __init__(self, values: Mapping[bytes, list[bytes]], content_length: int) -> None:
        self._values = values
        self.content_length = content_length
        self.host = self.get(b"host")
        self.logged = b""
        self.variant = b""
        options = self.members(b"connection")
        self.close = b"close" in options
        self.keep_alive = b"keep-alive" in options
        expectations = self.members(b"expect")
        self.expects_continue = b"100-continue" in expectations
        self.unknown_expectation = any(expectation != b"100-continue" for expectation in expectations)
        self.plain = _NOT_PLAIN.isdisjoint(values)
        conditions = [b"%s:%s\n" % (name, self.get(name)) for name in _CONDITIONAL if name in values]
        self.conditions = b"".join(conditions)

    def get(self, name: bytes) -> bytes | None:
        """The value of the field `name` (lower case), several lines of it joined by ", " (RFC 9110 5.3)."""
        values = self._values.get(name)
        return None if values is None else b", ".join(values)

    def members(self, name: bytes) -> list[bytes]:
        """The members of a list field, in lower case, empty ones left out (RFC 9110 5.6.1)."""
        value = self.get(name) or b""
        return [member for item in value.lower().split(b",") if (member := item.strip(b" \t"))]
