"""The rules of RFC 9112 as compiled patterns over bytes."""

import re

FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
"""field-line, RFC 9112 5: no space before the colon; the value still has the white space around it."""

VERSION = re.compile(rb"HTTP/([1-9])\.([0-9])")
"""HTTP-version, RFC 9112 2.3: case-sensitive, one digit each. HTTP/0.9 never had a version in its request line."""

CHUNK_SIZE = re.compile(
    rb"0{0,256}([0-9A-Fa-f]{1,15})"
    rb"((?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\"))?)*)"
)
"""chunk-size, 1*HEXDIG, and its extensions, RFC 9112 7.1 (hazard B4)."""

CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What never stands in a line: every control character but the tab, so a bare CR or LF too (hazards B5, B6)."""
