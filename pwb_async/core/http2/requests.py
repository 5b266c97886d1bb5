"""The reader of requests: a block of compressed fields becomes the same Request as a head of HTTP/1.1 (RFC 9113 8).

What a client does wrong is a value, as everywhere in the core: a BadRequest, answered by the rules of HTTP/1.1, or
Malformed, where RFC 9113 itself asks for a reset of the stream. The table goes on after both.
"""

import re
from dataclasses import replace
from typing import Final, NamedTuple, Protocol, TypeAlias

from pwb_async.core.events import BadRequest, Fault
from pwb_async.core.semantics.fields import CHUNKED, CONNECTION_SPECIFIC, FORBIDDEN_TRAILERS, Fields, Variant
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import HTTP_2, FieldList, Request
from pwb_async.core.semantics.request_fields import host_fault, parse_content_length
from pwb_async.core.semantics.target import Target, TargetKey, parse_target

from .hpack import Decoded, ListLimits, Table, decode

BLOCK: Final = 1024
"""The longest block in bytes that is remembered."""
_LIST: Final = 4096
"""The largest list in bytes that is remembered: a block can refer to a long entry of the table with each byte."""
_FIELDS: Final = 40
"""The largest number of fields that is remembered, twice that of a browser: each takes 0.3 KiB."""
_CACHE_SIZE: Final = 1024
"""The number of requests in a cache before it becomes the previous one."""

_PSEUDO_FIELDS: Final = frozenset((b":method", b":scheme", b":authority", b":path"))
"""The pseudo-fields of a request (RFC 9113 8.3.1); ":protocol" is only for servers that ask for it (RFC 8441 4)."""
_OF_REQUEST_LINE: Final = 3
"""The number of pseudo-fields that are no field in HTTP/1.1; ":authority" is Host there."""
_DEFAULT_PORTS: Final = {b"http": b":80", b"https": b":443"}
"""The port of an authority without one, by scheme (RFC 9110 4.2)."""
_LINES: Final = re.compile(
    rb"(?::?[!#$%&'*+\-.^_`|~0-9a-z]+\x00(?![ \t])[^\x00-\x08\x0a-\x1f\x7f]*(?<![ \t])\n)*",
)
"""Valid fields (RFC 9113 8.2.1), each as a line with a NUL in it: names in lower case, values without control
characters or white space around them."""

_Values: TypeAlias = dict[bytes, list[bytes]]


class HeadLimits(Protocol):
    """The limits on a request's head, in bytes where nothing else is stated; those of HTTP/1.1."""

    @property
    def request_line(self) -> int:
        """Method, target and version, as HTTP/1.1 has them in a line."""

    @property
    def field(self) -> int:
        """A name and its value, with two bytes between them."""

    @property
    def fields(self) -> int:
        """The number of fields, with Host or ":authority" and each crumb of a cookie."""

    @property
    def head(self) -> int:
        """The whole list, by the count of RFC 9113 6.5.2: names, values, and 32 bytes for each field."""


class Malformed(NamedTuple):
    """A list that is no request: a stream error of type PROTOCOL_ERROR (RFC 9113 8.1.1)."""

    detail: str
    """The reason, in words for a developer."""


class RequestReader:
    """A reader of requests, which all connections of a server share.

    Args:
        limits: The limits beyond which a request is refused.
        variant: The function that sets Fields.variant; None where nothing is negotiated.
        target_key: The function that gives the cache key of a target, where that is not Target.cache_key.
    """

    cache: dict[tuple[Table, bytes], tuple[Request, Table]]
    """Requests without content and the table after them, by the table before them and their block.

    When it is full it becomes the previous cache and is replaced by an empty one, as that of the parser of HTTP/1.1.
    Two connections that have sent the same blocks have the same table, since both began with INITIAL_TABLE.
    """

    def __init__(self, limits: HeadLimits, variant: Variant | None = None, target_key: TargetKey | None = None) -> None:
        self._limits = limits
        self._list_limits = ListLimits(limits.fields + _OF_REQUEST_LINE, limits.head)
        self._variant = variant
        self._target_key = target_key
        self.cache = {}
        self._previous_cache: dict[tuple[Table, bytes], tuple[Request, Table]] = {}

    def read(self, table: Table, block: bytes, ended: bool) -> tuple[Request | BadRequest | Malformed, Table]:
        """Read the header list of a request; also return the table for the next block.

        ended: whether the request ends with it (END_STREAM). Callers look into `cache` first if it does. A status of
        431 means that the list or one field is larger than its limits, and 414 that the target is. Raises what decode()
        raises.
        """
        known = self._previous_cache.get((table, block)) if ended else None
        if known is None:
            decoded = decode(table, block, self._list_limits)
            request = self._parse(decoded, ended)
            if not (ended and isinstance(request, Request) and _is_short(block, decoded.fields)):
                return request, decoded.table
            known = request, decoded.table
        if len(self.cache) >= _CACHE_SIZE:
            self._previous_cache, self.cache = self.cache, {}
        self.cache[table, block] = known
        return known

    def read_trailers(self, table: Table, block: bytes) -> tuple[Malformed | None, Table]:
        """Read a trailer section, which is ignored if it is valid (RFC 9113 8.1); return the table as well.

        Raises what decode() raises.
        """
        fields, table, complete = decode(table, block, self._list_limits)
        split = _split(fields)
        if isinstance(split, Malformed):
            return split, table
        pseudo, values = split
        if pseudo or not complete or not FORBIDDEN_TRAILERS.isdisjoint(values):
            return Malformed("a trailer that would change the request, or too many"), table
        return None, table

    def _parse(self, decoded: Decoded, ended: bool) -> Request | BadRequest | Malformed:
        split = _split(decoded.fields)
        if isinstance(split, Malformed):
            return split
        pseudo, values = split
        method = pseudo.get(b":method", b"")
        valid_method = method if TOKEN.fullmatch(method) else b""
        line = b"%s %s HTTP/2.0" % (method, pseudo.get(b":path") or pseudo.get(b":authority", b""))
        first_line = line[: self._limits.request_line]
        if not decoded.complete:
            # A target that is longer than the whole list may be is not in it.
            if len(line) > len(first_line) or (b":path" not in pseudo and method not in (b"", b"CONNECT")):
                return BadRequest(414, "the target is too long", first_line, valid_method)
            return BadRequest(431, "too many fields, or too large a list", first_line, valid_method)
        if not _has_control_data(pseudo):
            return Malformed("a pseudo-field is missing, or must not be there")
        target = self._target(pseudo, line)
        if isinstance(target, Fault):
            return BadRequest(*target, first_line, valid_method)
        fields = self._fields(pseudo, values, ended)
        if isinstance(fields, Malformed):
            return fields
        if isinstance(fields, Fault):
            return BadRequest(*fields, line, method)
        if fields.host is None:
            return BadRequest(400, "neither :authority nor Host", line, method, fields)
        return Request(method, target, fields, HTTP_2, request_line=line)

    def _target(self, pseudo: dict[bytes, bytes], line: bytes) -> Target | Fault:
        """The target, if method and scheme are valid as well."""
        method, path, longest = pseudo[b":method"], pseudo.get(b":path", b""), self._limits.request_line
        if len(line) > longest:
            return Fault(501, "a method too long") if len(method) >= longest else Fault(414, "the target is too long")
        if not TOKEN.fullmatch(method):
            return Fault(400, "invalid method")
        if path[:1] not in (b"/", b"*", b""):
            return Fault(400, "the path begins with no slash")
        target = parse_target(method, path)
        if isinstance(target, str):
            return Fault(400, target)
        if pseudo[b":scheme"].lower() not in _DEFAULT_PORTS:
            return Fault(400, "the scheme is neither http nor https")
        return target if self._target_key is None else replace(target, cache_key=self._target_key(target))

    def _fields(self, pseudo: dict[bytes, bytes], values: _Values, ended: bool) -> Fields | Fault | Malformed:
        """The fields as those of a request by HTTP/1.1 would be, if Host and Content-Length are valid."""
        if fault := host_fault(values):
            return Fault(400, fault)
        authority = pseudo.get(b":authority")
        if authority is not None:
            hosts = values.get(b"host")
            if hosts and not _same_authority(hosts[0], authority, pseudo[b":scheme"].lower()):
                return Fault(400, "Host differs from :authority")  # RFC 9113 8.3.1
            values[b"host"] = [authority]
            if fault := host_fault(values):
                return Fault(400, fault)
        length = parse_content_length(values)
        if isinstance(length, str):
            return Fault(400, length)
        if ended and length:
            return Malformed("the content that Content-Length announces is missing")
        if length is None:
            length = 0 if ended else CHUNKED
        if b"cookie" in values:
            values[b"cookie"] = [b"; ".join(values[b"cookie"])]  # RFC 9113 8.2.3
        fields = Fields(values, length)
        longest = self._limits.field - len(b": ")
        if fields.size > longest and any(len(name) + len(max(values[name], key=len)) > longest for name in values):
            return Fault(431, "a field is too long")
        if self._variant is not None:
            fields.variant = self._variant(fields)
        return fields


def _split(fields: FieldList) -> tuple[dict[bytes, bytes], _Values] | Malformed:
    """The pseudo-fields by name, and the values of the other fields by name, if all are valid (RFC 9113 8.2, 8.3)."""
    lines = b"".join([b"%s\0%s\n" % field for field in fields])
    # All at once, as to check each name and value takes three times as long. A value with a line in it is one too many.
    if not _LINES.fullmatch(lines) or lines.count(b"\n") != len(fields):
        return Malformed("a name or value with an invalid character")
    pseudo: dict[bytes, bytes] = {}
    values: _Values = {}
    for name, value in fields:
        if name[0] == 0x3A:  # a colon
            if values or name in pseudo or name not in _PSEUDO_FIELDS:
                return Malformed("a pseudo-field that is repeated, unknown or behind another field")
            pseudo[name] = value
        else:
            values.setdefault(name, []).append(value)
    if not CONNECTION_SPECIFIC.isdisjoint(values):
        return Malformed("a connection-specific field")
    if any(value.lower() != b"trailers" for value in values.get(b"te", ())):
        return Malformed("TE with another value than trailers")
    return pseudo, values


def _has_control_data(pseudo: dict[bytes, bytes]) -> bool:
    """Whether the pseudo-fields are those that the method needs (RFC 9113 8.3.1, 8.5)."""
    if pseudo.get(b":method") == b"CONNECT":
        return b":authority" in pseudo and len(pseudo) == 2
    return b":method" in pseudo and b":scheme" in pseudo and pseudo.get(b":path", b"") != b""


def _same_authority(host: bytes, authority: bytes, scheme: bytes) -> bool:
    """Whether Host and ":authority" identify the same authority (RFC 9113 8.3.1)."""
    port = _DEFAULT_PORTS[scheme]
    return host.lower().removesuffix(port) == authority.lower().removesuffix(port)


def _is_short(block: bytes, fields: FieldList) -> bool:
    """Whether a request with this block and these fields is remembered, so that a client cannot fill the memory."""
    if len(block) > BLOCK or len(fields) > _FIELDS:
        return False
    return sum([len(name) + len(value) for name, value in fields]) <= _LIST
