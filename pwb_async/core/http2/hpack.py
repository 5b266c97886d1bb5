"""HPACK, the compression of header lists (RFC 7541): a decoder whose table is a value, and literals for responses.

decode() is pure: it changes no table, and returns the one for the next block. So what a block stands for can be
remembered by the table and the block.

What is sent uses the static table alone, never the peer's dynamic table. So a response has the same bytes on every
connection, and the peer's SETTINGS_HEADER_TABLE_SIZE changes nothing but the need for SIZE_UPDATE_0.
"""

from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from pwb_async.core.semantics.messages import FieldList

from . import huffman
from .errors import ErrorCode, HTTP2ConnectionError
from .static_table import STATIC_NAMES, STATIC_STATUSES, STATIC_TABLE

Field: TypeAlias = tuple[bytes, bytes]
"""The name and the value of a field."""

TABLE_SIZE: Final = 4096
"""The size in octets that a peer's dynamic table may have: the initial SETTINGS_HEADER_TABLE_SIZE (RFC 9113 6.5.2)."""
FIELD_OVERHEAD: Final = 32
"""Octets by which a field counts beside its name and value, in a table and in a list (RFC 7541 4.1, RFC 9113 6.5.2)."""
SIZE_UPDATE_0: Final = b"\x20"
"""A dynamic table size update to 0 (RFC 7541 6.3).

A block has to begin with it if it is the first one after the peer has sent a SETTINGS_HEADER_TABLE_SIZE below the
initial one (RFC 7541 4.2). A block without it is a COMPRESSION_ERROR to nghttp2, even if it uses no table.
"""

_DROPPED: Final = 3
"""How many times as many fields, or octets, as the limits allow may be dropped of a list: to decode a whole frame of
references to entries takes 2 ms, in which nothing else is done."""
_MAX_UPDATES: Final = 2
"""The number of table size updates in a block, to the smallest size since the last block and to the present one (RFC
7541 4.2)."""
_MAX_SHORT: Final = 256
"""The longest coded string in octets that is remembered, so that those of a hostile client do not fill the memory."""

_STATIC_LENGTH: Final = len(STATIC_TABLE)


class HPACKError(HTTP2ConnectionError):
    """A block that cannot be decoded, which ends the connection (RFC 9113 4.3)."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorCode.COMPRESSION_ERROR, detail)


class Table:
    """A dynamic table (RFC 7541 2.3.2) between two blocks, which never changes.

    Two tables are equal only if they are the same object.
    """

    __slots__ = ("entries", "max_size", "size")

    entries: tuple[Field, ...]
    """The entries, the newest first."""
    size: int
    """The size of all entries in octets (RFC 7541 4.1)."""
    max_size: int
    """The size above which the oldest entries are evicted, as the encoder has set it."""

    def __init__(self, entries: tuple[Field, ...] = (), size: int = 0, max_size: int = TABLE_SIZE) -> None:
        self.entries = entries
        self.size = size
        self.max_size = max_size


class _Draft:
    """A dynamic table while a block is decoded."""

    __slots__ = ("_entries", "_max_size", "_size", "_table")

    def __init__(self, table: Table) -> None:
        self._table = table
        self._entries: list[Field] | tuple[Field, ...] = table.entries
        self._size = table.size
        self._max_size = table.max_size

    def __getitem__(self, index: int) -> Field:
        """The entry with an index of both tables, the static one first. Raises IndexError if there is none."""
        if index > _STATIC_LENGTH:
            return self._entries[index - _STATIC_LENGTH - 1]
        if index == 0:
            raise IndexError
        return STATIC_TABLE[index - 1]

    def add(self, field: Field) -> None:
        """Add an entry; a field that is larger than the table empties it (RFC 7541 4.4)."""
        size = len(field[0]) + len(field[1]) + FIELD_OVERHEAD
        entries = self._own_entries()
        if self._size + size > self._max_size:
            self._evict(entries, max(0, self._max_size - size))
        if size <= self._max_size:
            entries.insert(0, field)
            self._size += size

    def resize(self, max_size: int) -> None:
        """Set another maximum size (RFC 7541 4.3)."""
        self._evict(self._own_entries(), max_size)
        self._max_size = max_size

    def _own_entries(self) -> list[Field]:
        """The entries as a list of this draft, made for the first change."""
        if isinstance(self._entries, tuple):
            self._entries = list(self._entries)
        return self._entries

    def _evict(self, entries: list[Field], size: int) -> None:
        """Remove the oldest entries, so that the others are not larger than `size`."""
        while self._size > size:
            name, value = entries.pop()
            self._size -= len(name) + len(value) + FIELD_OVERHEAD

    def table(self) -> Table:
        """The table, the same one as before if nothing has changed."""
        if isinstance(self._entries, tuple):
            return self._table
        return Table(tuple(self._entries), self._size, self._max_size)


INITIAL_TABLE: Final = Table()
"""The empty table with which each connection begins; the same object, so that its blocks are remembered for all."""


class ListLimits(NamedTuple):
    """The limits beyond which the fields of a list are dropped while it is decoded."""

    fields: int
    """The number of fields."""
    size: int
    """Octets of all names and values, and FIELD_OVERHEAD for each field."""


class Decoded(NamedTuple):
    """A block that was decoded."""

    fields: FieldList
    """The fields in order, up to the limits."""
    table: Table
    """The table for the next block."""
    complete: bool
    """Whether the list is within the limits; if it is not, its last fields are missing."""


def decode(table: Table, block: bytes, limits: ListLimits) -> Decoded:
    """Decode a block, the fragments of one header list put together (RFC 7541 3).

    A list beyond the limits is decoded to its end, as later blocks depend on its table, but its fields are not kept: a
    block can refer to a long entry once with each octet. Far beyond them, the connection is over at once.

    Raises HPACKError, and HTTP2ConnectionError with ENHANCE_YOUR_CALM.
    """
    fields: list[Field] = []
    draft = _Draft(table)
    room, max_fields = limits.size, limits.fields
    complete = True
    dropped = updates = 0
    position, end = 0, len(block)
    try:
        while position < end:
            first = block[position]
            if first & 0x80:  # an indexed field (6.1)
                if first == 0xFF:  # else read here, a quarter cheaper: a block may be nothing but references
                    index, position = _read_integer(block, position, 0x7F)
                else:
                    index, position = first & 0x7F, position + 1
                field = draft[index]
            elif first & 0x40:  # a literal with incremental indexing (6.2.1)
                field, position = _read_literal(draft, block, position, 0x3F)
                draft.add(field)
            elif first & 0x20:  # a dynamic table size update (6.3)
                size, position = _read_integer(block, position, 0x1F)
                updates += 1
                if size > TABLE_SIZE or fields or not complete or updates > _MAX_UPDATES:
                    raise HPACKError(
                        "a table size update above the limit, behind a field, or one too many (RFC 7541 4.2)"
                    )
                draft.resize(size)
                continue
            else:  # a literal without indexing or never indexed (6.2.2, 6.2.3)
                field, position = _read_literal(draft, block, position, 0x0F)
            room -= len(field[0]) + len(field[1]) + FIELD_OVERHEAD
            if room >= 0 and len(fields) < max_fields:
                fields.append(field)
                continue
            complete = False
            dropped += 1
            if dropped > _DROPPED * max_fields or room < -_DROPPED * limits.size:
                raise HTTP2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "a list many times larger than its limits")
    except IndexError:
        raise HPACKError("the block ends within a field, or refers to an entry that does not exist") from None
    return Decoded(tuple(fields), draft.table(), complete)


def _read_integer(block: bytes, position: int, prefix: int) -> tuple[int, int]:
    """An integer (RFC 7541 5.1), and the position behind it. prefix: the bits of its first octet, all set.

    More than four octets behind the first, so 2**28 and above, are an error, whatever their value.
    """
    value = block[position] & prefix
    position += 1
    if value < prefix:
        return value, position
    for shift in (0, 7, 14, 21):
        octet = block[position]
        position += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80:
            return value, position
    raise HPACKError("an integer is too long")


def _read_literal(draft: _Draft, block: bytes, position: int, prefix: int) -> tuple[Field, int]:
    """A field whose name is an index or a string, and whose value is a string (RFC 7541 6.2)."""
    index, position = _read_integer(block, position, prefix)
    if index:
        name = draft[index][0]
    else:
        name, position = _read_string(block, position)
    value, position = _read_string(block, position)
    return (name, value), position


def _read_string(block: bytes, position: int) -> tuple[bytes, int]:
    """A string (RFC 7541 5.2), and the position behind it."""
    first = block[position]
    if first & 0x7F == 0x7F:
        length, position = _read_integer(block, position, 0x7F)
    else:
        length, position = first & 0x7F, position + 1
    end = position + length
    if end > len(block):
        raise HPACKError("a string is longer than the block")
    octets = block[position:end]
    if first < 0x80:
        return octets, end
    try:
        return (_decode_short(octets) if length <= _MAX_SHORT else huffman.decode(octets)), end
    except huffman.HuffmanError as error:
        raise HPACKError(str(error)) from None


_decode_short = lru_cache(1024)(huffman.decode)


def _write_integer(value: int, prefix: int) -> bytes:
    """An integer (RFC 7541 5.1), the other bits of whose first octet are 0. prefix: its bits of that octet, all set."""
    if value < prefix:
        return bytes((value,))
    octets = bytearray((prefix,))
    value -= prefix
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def literal(name: bytes, value: bytes) -> bytes:
    """A field as a literal without indexing (RFC 7541 6.2.2), its name by the static table if it is there.

    name: in lower case (RFC 9113 8.2).
    """
    start = _write_integer(STATIC_NAMES.get(name, 0), 0x0F)
    if name not in STATIC_NAMES:
        start += _write_integer(len(name), 0x7F) + name
    return start + _write_integer(len(value), 0x7F) + value


def status(code: int) -> bytes:
    """The pseudo-field ":status" (RFC 9113 8.3.2): an indexed field where the static table has it."""
    index = STATIC_STATUSES.get(code)
    return literal(b":status", b"%d" % code) if index is None else bytes((0x80 | index,))
