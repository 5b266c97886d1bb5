"""The field Content-Disposition, which rules set: whether a file is saved, and under which name (RFC 6266).

    attachment; filename="Übersicht.pdf"

A name that is not plain US-ASCII is sent twice: as the nearest one that is, for clients such as curl, and as filename*,
percent-encoded (RFC 8187), which browsers prefer.
"""

import re
from typing import Final
from urllib.parse import quote

from pwb_async.core.semantics.grammar import TOKEN

from .destinations import Template
from .patterns import Captures

CONTENT_DISPOSITION: Final = b"content-disposition"
"""The name of the field in lower case."""
_QUOTED: Final = rb'"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"'
_VALUE: Final = rb"%s(?:[ \t]*;[ \t]*%s=(?:%s|%s))*" % ((TOKEN.pattern,) * 3 + (_QUOTED,))
_FILENAME: Final = rb'(?is)(;[ \t]*)filename="((?:[^"\\]|\\.)*)"'
_EXTENDED: Final = rb"(?i);[ \t]*filename\*="
_ATTRIBUTE_SAFE: Final = "!#$&+^`|"
"""The characters that a value of filename* may have as they are, beside letters, digits and "-._~" (RFC 8187 3.2.1)."""


def parse_disposition(value: bytes, template: Template) -> Template:
    """The template of a value; `template` is the value with names in it. Raises ValueError if it is no disposition."""
    if not re.fullmatch(_VALUE, value):
        raise ValueError('it is not a disposition such as attachment; filename="a name.pdf"')
    if all(isinstance(piece, bytes) for piece in template):
        return (_encode(value),)
    return template  # whose names stand within quotation marks, as a colon can stand nowhere else


def fill_disposition(template: Template, captures: Captures) -> bytes:
    """The value with what was captured. It ends no quoted text, and of a path the last segment is the name."""
    if all(isinstance(piece, bytes) for piece in template):
        return b"".join(piece for piece in template if isinstance(piece, bytes))
    return _encode(b"".join(piece if isinstance(piece, bytes) else _escape(captures[piece]) for piece in template))


def _escape(captured: bytes) -> bytes:
    return re.sub(rb'(["\\])', rb"\\\1", re.sub(rb"[\x00-\x1f\x7f]", b"_", captured))


def _encode(value: bytes) -> bytes:
    """A value in US-ASCII: filename as it can be, and filename* where that is not the whole name."""
    return value if re.search(_EXTENDED, value) else re.sub(_FILENAME, _encode_name, value)


def _encode_name(match: re.Match[bytes]) -> bytes:
    name = re.sub(rb"\\(.)", rb"\1", match[2], flags=re.DOTALL).decode(errors="replace").rpartition("/")[2]
    if not name:  # of what was captured, such as the splat of a directory
        return b""
    plain = _plain(name)
    value = b'%sfilename="%s"' % (match[1], plain.encode())
    return value if plain == name else b"%s; filename*=UTF-8''%s" % (value, quote(name, _ATTRIBUTE_SAFE).encode())


def _plain(name: str) -> str:
    """The nearest name in US-ASCII without characters that clients read differently (RFC 6266 D)."""
    if not name.isascii():
        from unicodedata import combining, normalize  # imported here, since few names need it

        name = "".join(letter for letter in normalize("NFKD", name) if not combining(letter))
    return re.sub(r'[^ -~]|["%\\]', "_", name)
