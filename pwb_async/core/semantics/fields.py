"""The field section of a request (RFC 9110 5)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

CHUNKED: Final = -1
"""The content_length of a request with chunked content, whose length is not known in advance."""

_CONDITIONAL: Final = (
    b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range", b"range",
    b"want-repr-digest",
)  # fmt: skip
"""The fields by which a client asks for less than the whole representation, or for its digest: preconditions, Range and
Want-Repr-Digest."""
_NOT_PLAIN: Final = frozenset((*_CONDITIONAL, b"content-length", b"transfer-encoding", b"expect"))
FORBIDDEN_TRAILERS: Final = _NOT_PLAIN | {b"host"}
"""Fields that must not occur in a trailer section, because they would change the request (RFC 9110 6.5.1)."""
CONNECTION_SPECIFIC: Final = frozenset(
    (b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade")
)
"""Fields of one connection of HTTP/1.1, which must not occur in HTTP/2 (RFC 9113 8.2.2)."""
Variant: TypeAlias = Callable[["Fields"], bytes]
"""A pure function that returns equal keys for field sections that select the same representation of every target."""


class Fields:
    """The fields of a request by name, and what they mean for every request.

    The parser keeps field sections that it has read, so the attributes are computed once for many requests.

    Args:
        values: The values of the field lines in order, by lower-case name.
        content_length: The number of bytes of content, or CHUNKED.
    """

    __slots__ = (
        "_values",
        "close",
        "conditions",
        "content_length",
        "expects_continue",
        "host",
        "keep_alive",
        "plain",
        "size",
        "unknown_expectation",
        "variant",
    )

    content_length: int
    """Bytes of content that follow the head, or CHUNKED."""
    host: bytes | None
    """The value of Host."""
    variant: bytes
    """The key of the representation that these fields select (RFC 9110 12.5.5); b"" where nothing is negotiated."""
    size: int
    """Bytes of all names and values."""
    close: bool
    """Whether Connection contains "close"."""
    keep_alive: bool
    """Whether Connection contains "keep-alive", which counts in HTTP/1.0 only."""
    expects_continue: bool
    """Whether Expect contains "100-continue"."""
    unknown_expectation: bool
    """Whether Expect contains anything else (RFC 9110 10.1.1)."""
    plain: bool
    """Whether no field changes the response to a GET: no precondition, range, wish for a digest, content or
    expectation."""
    conditions: bytes
    """The preconditions, the range and the wish for a digest, as received; equal ones lead to equal responses."""

    def __init__(self, values: Mapping[bytes, list[bytes]], content_length: int) -> None:
        self._values = values
        self.content_length = content_length
        self.host = self.get(b"host")
        self.variant = b""
        self.size = sum([len(name) * len(lines) + sum(map(len, lines)) for name, lines in values.items()])
        options = self.members(b"connection")
        self.close = b"close" in options
        self.keep_alive = b"keep-alive" in options
        expectations = self.members(b"expect")
        self.expects_continue = b"100-continue" in expectations
        self.unknown_expectation = any(expectation != b"100-continue" for expectation in expectations)
        self.plain = not content_length and _NOT_PLAIN.isdisjoint(values)  # content of HTTP/2 may have no field
        conditions = [b"%s:%s\n" % (name, self.get(name)) for name in _CONDITIONAL if name in values]
        self.conditions = b"".join(conditions)

    def __iter__(self) -> Iterator[bytes]:
        """The lower-case names of the fields, in the order in which they were received first."""
        return iter(self._values)

    def get(self, name: bytes) -> bytes | None:
        """The value of a field by its lower-case name; several field lines are joined by ", " (RFC 9110 5.3)."""
        values = self._values.get(name)
        return None if values is None else b", ".join(values)

    def unconditional(self) -> "Fields":
        """The same fields without those by which a client asks for less than the whole representation."""
        kept = {name: lines for name, lines in self._values.items() if name not in _CONDITIONAL}
        fields = Fields(kept, self.content_length)
        fields.variant = self.variant
        return fields

    def members(self, name: bytes) -> list[bytes]:
        """The members of a list field in lower case, without empty ones (RFC 9110 5.6.1)."""
        value = self.get(name) or b""
        return [member for item in value.lower().split(b",") if (member := item.strip(b" \t"))]
