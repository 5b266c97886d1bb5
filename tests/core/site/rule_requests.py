"""Requests for the tests of rules."""

from pwb_async.core.semantics.messages import Request
from tests.core.driver import PARSER, get


def request_of(target: str, *fields: bytes, method: bytes = b"GET") -> Request:
    """A valid request; its Host is "h" unless the target is in absolute form."""
    request = PARSER.parse(get(target.encode("latin-1"), *fields, method=method)[:-2])
    assert isinstance(request, Request), request
    return request
