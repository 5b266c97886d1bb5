"""The rules of RFC 9110 and RFC 9112 that several modules match against, as compiled patterns over bytes."""

import re

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""token, RFC 9110 5.6.2."""

FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
"""field-line, RFC 9112 5: no space before the colon; the value still has the white space around it."""

VERSION = re.compile(rb"HTTP/([1-9])\.([0-9])")
"""HTTP-version, RFC 9112 2.3: case-sensitive, one digit each. HTTP/0.9 never had a version in its request line."""

TARGET = re.compile(rb"[!-\"$-~\x80-\xff]+")
"""Visible US-ASCII without "#", as a fragment never belongs in a request target (RFC 9112 3.2); and bytes of text that
should have been escaped."""

NO_TEXT = re.compile(rb"\xc2[\x80-\x9f]")
"""A control character beyond US-ASCII, in UTF-8."""

UNESCAPED = re.compile(rb"[\x80-\xff]")
"""A byte that stands in a URI only as an escape, RFC 3986 2.1."""

BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
"""A percent sign that starts no escape, RFC 3986 2.1."""

LENGTH = re.compile(rb"0{0,256}([0-9]{1,19})")
"""Content-Length, RFC 9110 8.6: 1*DIGIT, so zeros may stand in front; what int() gets is bounded (hazard B3)."""

CHUNK_SIZE = re.compile(
    rb"0{0,256}([0-9A-Fa-f]{1,15})"
    rb"((?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\"))?)*)"
)
"""chunk-size, 1*HEXDIG, and its extensions, RFC 9112 7.1 (hazard B4)."""

CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What never stands in a line: every control character but the tab, so a bare CR or LF too (hazards B5, B6)."""

_REG_NAME = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
_IP_LITERAL = rb"\[(?:(?P<ipv6>[0-9A-Fa-f:.]+)|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]"
HOST = re.compile(rb"(?:" + _REG_NAME + rb"|" + _IP_LITERAL + rb")(?::(?P<port>[0-9]{0,5}))?")
"""Host, RFC 9110 7.2: never empty for http, never with user information (hazard B7)."""

MEDIA_TYPE = re.compile(
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*;[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+="
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|\"(?:[\t !#-\[\]-~]|\\[\t -~])*\"))?)*"
)
"""media-type, RFC 9110 8.3.1, in US-ASCII."""

ENTITY_TAG = re.compile(rb'(W/)?"([!#-~\x80-\xff]*)"')
"""entity-tag, RFC 9110 8.8.3."""
