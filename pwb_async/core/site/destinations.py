"""Destinations of redirects and rewrites, and the values of fields: texts in which names stand for what was captured.

    destination = path [ "?" query ] [ "#" fragment ] / ( "http://" / "https://" ) host path ...

What is filled into a Location is percent-encoded again, so that it can neither begin a query nor another path, and a
destination on this site begins with exactly one slash, so that it cannot name another host (hazard C9).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pwb_async.core.semantics.grammar import BAD_ESCAPE
from pwb_async.core.semantics.target import PATH_SAFE, escape_query, valid_host

from .patterns import PLACEHOLDER, Captures

Template: TypeAlias = tuple[bytes | str, ...]
"""A text: bytes are themselves, and a str is the name of a capture that is filled in."""
_ORIGIN: Final = rb"(?i)(https?)://([^/?#]*)"
_LITERAL_SAFE: Final = PATH_SAFE + "/?%"
"""The characters of a destination that stay as they are written, beside letters, digits and "-._"."""
_FILLED_SAFE: Final = "/"
"""The only one that may be filled into a query or a fragment, where others would have a meaning."""
_VALUE_SAFE: Final = "/:@!$&*+=~"
"""The characters that may be filled into the value of a field: none that separates or quotes a part of one."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a rule leads."""

    text: str
    """The destination as it was written."""
    origin: bytes
    """Scheme and host as they are sent; b"" for a destination on this site."""
    path: Template
    query: Template | None
    """None for that of the request."""
    fragment: Template | None

    @property
    def host(self) -> bytes:
        """The host and port of a destination elsewhere, in lower case; b"" for one on this site."""
        return self.origin.partition(b"://")[2].lower()

    @property
    def names(self) -> frozenset[str]:
        """The names that are filled in."""
        texts = (self.path, self.query or (), self.fragment or ())
        return frozenset(piece for text in texts for piece in text if isinstance(piece, str))

    def location_path(self, captures: Captures) -> bytes:
        """The path, encoded. It begins with exactly one slash, and no capture adds a second one to another."""
        path = b""
        for piece in self.path:
            if isinstance(piece, bytes):
                path += piece
            else:
                value = captures[piece]
                path += quote_from_bytes(value.lstrip(b"/") if path[-1:] == b"/" else value, PATH_SAFE + "/").encode()
        return b"/" + path.lstrip(b"/") if not self.origin else path

    def location_query(self, captures: Captures, query: bytes | None) -> bytes | None:
        """The query: the destination's own if it has one, otherwise `query`, that of the request."""
        if self.query is not None:
            return _fill(self.query, captures, _FILLED_SAFE)
        return escape_query(query) if query else None

    def location(self, path: bytes, query: bytes | None, captures: Captures) -> bytes:
        """The value of Location with this path and query, and with the fragment of the destination."""
        whole = self.origin + path if query is None else b"%s%s?%s" % (self.origin, path, query)
        return whole if self.fragment is None else whole + b"#" + _fill(self.fragment, captures, _FILLED_SAFE)

    def file_path(self, captures: Captures) -> bytes:
        """The path, decoded."""
        pieces = (unquote_to_bytes(piece) if isinstance(piece, bytes) else captures[piece] for piece in self.path)
        return b"".join(pieces)


def parse_destination(text: str, names: Collection[str]) -> Destination:
    """The destination that `text` describes. Raises ValueError with the reason why it is none.

    names: what the source of the rule captures.
    """
    raw = text.encode()
    if BAD_ESCAPE.search(raw):
        raise ValueError(f'"{text}": "%" is not followed by two hexadecimal digits')
    origin = b""
    if match := re.match(_ORIGIN, raw):
        if b"@" in match[2]:
            raise ValueError(f'"{text}": a destination has neither a user nor a password')
        if PLACEHOLDER.search(match[2]):
            raise ValueError(f'"{text}" has a placeholder in the host')
        if not valid_host(match[2]):
            raise ValueError(f'"{text}": "{match[2].decode()}" is not a host')
        origin, raw = b"%s://%s" % (match[1].lower(), match[2]), raw[match.end() :]
    elif raw[:1] != b"/":
        raise ValueError(f'"{text}": a destination begins with "/" or "http(s)://"')
    elif raw[1:2] in (b"/", b"\\"):
        raise ValueError(f'"{text}" would name another host; write "https://" for that')
    raw, hash_mark, fragment = raw.partition(b"#")
    path, question_mark, query = raw.partition(b"?")
    if b"*" in path:
        raise ValueError(f'"{text}": what "*" stands for is written ":splat"')
    return Destination(
        text=text,
        origin=origin,
        path=_parse(text, path or b"/", names),
        query=_parse(text, query, names) if question_mark else None,
        fragment=_parse(text, fragment, names) if hash_mark else None,
    )


def parse_value(text: bytes, names: Collection[str]) -> Template:
    """The template of a field's value. A name that is not one of `names` stands for itself."""
    pieces: list[bytes | str] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        if (name := match[1].decode()) in names:
            pieces += (text[end : match.start()], name)
            end = match.end()
    return tuple(piece for piece in (*pieces, text[end:]) if piece)


def fill_value(template: Template, captures: Captures) -> bytes:
    """The value of a field. What is filled in is percent-encoded, so that it cannot end a part of the value."""
    return _fill(template, captures, _VALUE_SAFE)


def _parse(text: str, raw: bytes, names: Collection[str]) -> Template:
    literals_and_names = PLACEHOLDER.split(raw)  # in turn
    pieces: list[bytes | str] = []
    for index, piece in enumerate(literals_and_names):
        if index % 2 == 0:
            pieces.append(quote_from_bytes(piece, _LITERAL_SAFE).encode())
        elif (name := piece.decode()) in names:
            pieces.append(name)
        else:
            raise ValueError(f'"{text}": ":{name}" is not in the source; a colon itself is written %3A')
    return tuple(piece for piece in pieces if piece)


def _fill(template: Template, captures: Captures, safe: str) -> bytes:
    return b"".join(
        piece if isinstance(piece, bytes) else quote_from_bytes(captures[piece], safe).encode() for piece in template
    )
