"""The grammar of RFC 9110 and RFC 3986, as compiled patterns for bytes."""

import re

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""`token`, RFC 9110 5.6.2."""

FIELD_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
"""`field-value`, RFC 9110 5.5, with white space around it: no control character but tab."""

TARGET = re.compile(rb"[!-\"$-~\x80-\xff]+")
"""A request target: visible US-ASCII without "#", because a fragment is never sent (RFC 9112 3.2), and bytes beyond
US-ASCII, which some clients fail to escape."""

PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9\-_~!$&'()*+,;=:@][A-Za-z0-9\-._~!$&'()*+,;=:@]*)+")
"""The usual target: an absolute path (RFC 3986 3.3) that needs neither decoding nor resolving, as no segment is empty,
begins with a dot or has an escape."""

C1_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")
"""A control character from U+0080 to U+009F, in UTF-8."""

UNESCAPED = re.compile(rb"[\x80-\xff]")
"""A byte that a URI may contain only percent-encoded, RFC 3986 2.1."""

BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
"""A percent sign without two hexadecimal digits behind it, RFC 3986 2.1."""

LENGTH = re.compile(rb"0{0,256}([0-9]{1,19})")
"""Content-Length, RFC 9110 8.6: 1*DIGIT, so leading zeros are valid. The digits that int() has to convert are bounded
(hazard B3)."""

_REG_NAME = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
_IP_LITERAL = rb"\[(?:(?P<ipv6>[0-9A-Fa-f:.]+)|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]"
HOST = re.compile(rb"(?:" + _REG_NAME + rb"|" + _IP_LITERAL + rb")(?::(?P<port>[0-9]{0,5}))?")
"""Host, RFC 9110 7.2, which must be neither empty nor contain user information (hazard B7)."""

MEDIA_TYPE = re.compile(
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*;[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+="
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|\"(?:[\t !#-\[\]-~]|\\[\t -~])*\"))?)*"
)
"""`media-type`, RFC 9110 8.3.1, in US-ASCII."""

ENTITY_TAG = re.compile(rb'(W/)?"([!#-~\x80-\xff]*)"')
"""`entity-tag`, RFC 9110 8.8.3."""
