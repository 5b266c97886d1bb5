"""The grammar of RFC 9112, as compiled patterns for bytes."""

import re

FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
"""`field-line`, RFC 9112 5: without white space before the colon; white space around the value is matched with it."""

VERSION = re.compile(rb"HTTP/([1-9])\.([0-9])")
"""HTTP-version, RFC 9112 2.3, case-sensitive. The major number is not 0, as HTTP/0.9 sent no version."""

CHUNK_SIZE = re.compile(
    rb"0{0,256}([0-9A-Fa-f]{1,15})"
    rb"((?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\"))?)*)"
)
"""`chunk-size` and `chunk-ext`, RFC 9112 7.1. The digits that int() has to convert are bounded (hazard B4)."""

CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""A character that no line may contain: a control character except tab, a bare CR or LF included (hazards B5, B6)."""
