"""How much of a request is accepted."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Bounds on one connection, in bytes unless said otherwise (hazards B8, B11 of docs/hazards.md)."""

    request_line: int = 8190
    field: int = 8190
    fields: int = 100
    """fields in one head"""
    head: int = 32 * 1024
    """a whole head, up to and with its empty line"""
    content: int = 64 * 1024
    """content of a request that is skipped to keep the connection"""
    requests: int = 1000
    """requests on one connection, 0 for no bound"""
    pipelined: int = 64 * 1024
    """what may wait while an answer is under way"""
    blank_lines: int = 10
    """empty lines before a request line"""
    bad_head: int = 216 * 1024
    """what is read of a client whose head was refused, so that it can still read why (hazards A13, B8)"""
