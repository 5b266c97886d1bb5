"""The origin of each field of a response.

A site makes a response, and options and rules then change its fields one after the other (RecordingSite.steps). What
each of these steps changes is found by comparing the fields before and after it; what the site itself sets follows from
the response and the values that led to it.
"""

from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import FieldList, Request, Response
from pwb_async.core.site.cache_policy import IMMUTABLE, NO_STORE
from pwb_async.core.site.error_pages import status_page
from pwb_async.core.site.findings import Moved
from pwb_async.core.site.media_types import DEFAULT
from pwb_async.core.site.redirect_rules import Redirect

from .explanation import ExplainedField
from .outcome import Outcome

_ALWAYS: Final = {
    b"x-content-type-options": "each response with content has it",
    b"accept-ranges": "ranges of the file can be requested",
    b"content-range": "Range",
    b"repr-digest": "Want-Repr-Digest",
    b"allow": "the methods of a static site",
    b"www-authenticate": "the access rule that refuses the request",
    b"retry-after": "when to ask again",
    b"content-security-policy": "--security-headers, for a page of PWB's own",
    b"last-modified": "the time of the file",
}
"""The origins of fields that can have one only."""
_EXPLAINED: Final = (b"Server-Timing", b"Cache-Status")
"""The fields of --explain-fields."""


def explain_fields(outcome: Outcome, head: bytes) -> tuple[tuple[ExplainedField, ...], tuple[ExplainedField, ...]]:
    """The fields of a response in the order of its head, and those that rules have removed."""
    fields = [(field, _own(outcome, *field)) for field in outcome.unfinished.fields]
    removed: list[ExplainedField] = []
    for step in outcome.site.steps(outcome.event, outcome.is_file):
        before = [field for field, _ in fields]
        after = step.apply(outcome.response.status, tuple(before))
        fields, lost = _changed(fields, after, step.place)
        removed += [_explained(field, step.place) for field in lost]
    last = "--maintenance" if outcome.options.maintenance else "access rules, so that no shared cache keeps it"
    fields, _ = _changed(fields, outcome.response.fields, last)
    own = {(name, value): "--explain-fields" for name, value in outcome.response.fields if name in _EXPLAINED}
    fields = [(field, own.get(field, origin)) for field, origin in fields]
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
    connection = [line.partition(b": ")[::2] for line in lines[: len(lines) - len(fields)]]
    first = [_explained((name, value), _of_connection(outcome, name)) for name, value in connection]
    return tuple(first + [_explained(*each) for each in fields]), tuple(removed)


def _explained(field: tuple[bytes, bytes], origin: str) -> ExplainedField:
    name, value = field
    return ExplainedField(name.decode("latin-1"), value.decode("latin-1"), origin)


def _changed(
    before: list[tuple[tuple[bytes, bytes], str]], after: FieldList, origin: str
) -> tuple[list[tuple[tuple[bytes, bytes], str]], list[tuple[bytes, bytes]]]:
    """The fields after a step with their origins, and those that it has removed."""
    left = list(before)
    result = []
    for field in after:
        known = next((each for each in left if each[0] == field), None)
        if known is not None:
            left.remove(known)
        result.append(known or (field, ""))
    replaced = {field[0].lower(): (field[1], old) for field, old in left}
    for number, (field, known_origin) in enumerate(result):
        if not known_origin:
            value, old = replaced.get(field[0].lower(), (b"", ""))
            joined = bool(old) and field[1].startswith(value + b",")
            result[number] = field, f"{old}; {origin}" if joined else origin
    names = {field[0].lower() for field in after}
    return result, [field for field, _ in left if field[0].lower() not in names]


def _of_connection(outcome: Outcome, name: bytes) -> str:
    """The origin of a field that the connection adds."""
    if name == b"Server":
        return "--server-version" if outcome.options.server_version else "each response has it"
    if name == b"Date":
        return "the time of the response"
    if isinstance(outcome.event, BadRequest):
        return "where the next request begins is not known"
    return "the request demands it" if not outcome.event.persistent else "HTTP/1.0 needs it, or content was not read"


def _own(outcome: Outcome, name: bytes, value: bytes) -> str:
    """The origin of a field that the site itself has set."""
    lower = name.lower()
    if outcome.file is not None and (name, value) in outcome.file.fields:
        return "a listing or an archive has it"
    match lower:
        case b"content-type":
            return _of_media_type(outcome, value)
        case b"content-length":
            return _of_length(outcome)
        case b"content-encoding":
            return "the coding" if outcome.file and outcome.file.coding else "--serve-encoded"
        case b"etag":
            return _of_tag(outcome)
        case b"cache-control":
            return _of_caching(outcome, value)
        case b"vary":
            return _of_vary(outcome)
        case b"location":
            return _of_location(outcome)
    return _ALWAYS.get(lower, "the response itself")


def _of_media_type(outcome: Outcome, value: bytes) -> str:
    request, found = outcome.event, outcome.file
    if outcome.options.maintenance and found is not None:
        return "503.html is a page"
    if found is None or not isinstance(request, Request) or outcome.unfinished.status in (412, 416):
        return _of_page(outcome.unfinished, value)
    if value.startswith(b"multipart/byteranges"):
        return "several ranges"
    if found.media_type:
        return "a directory is sent as a listing or as an archive"
    if found.status == 200 and (place := outcome.site.content_type_rule(request)):
        return place
    if glob := outcome.site.types.glob_of(found.path):
        return f"--type {glob}"
    if value == DEFAULT:
        return "the ending of the name has no known type"
    charset = ", and --charset" if b"charset=" in value else ""
    return f"the ending of the name{charset}"


def _of_page(response: Response, value: bytes) -> str:
    """The origin of the media type of a page that is no file of its own."""
    if b"json" in value:
        return "PWB's own page, as JSON, which Accept prefers"
    own = response.parts == (status_page(response.status),)
    return "PWB's own page" if own else "the page" if not response.parts else "the page of the site"


def _of_length(outcome: Outcome) -> str:
    found = outcome.file
    if outcome.unfinished.status == 206:
        return "the bytes of the range"
    if found is None or outcome.unfinished.status in (412, 416):
        return "the bytes of the page"
    if found.coding:
        return "the bytes of the coded content"
    return "the bytes of the listing or archive" if found.media_type else "the bytes of the file"


def _of_tag(outcome: Outcome) -> str:
    found = outcome.file
    if found is None or found.content is not None:
        coding = ", with its coding" if found and found.coding else ""
        return f"a digest of the content{coding}"
    return f"--etag {outcome.options.etag}, as the file is large"


def _of_caching(outcome: Outcome, value: bytes) -> str:
    if value == NO_STORE[1]:
        return "no failure of the server is kept"
    if outcome.unfinished.status >= 400:
        return "no error is sent again unchecked"
    if value == IMMUTABLE[1]:
        return "the name has a fingerprint (--immutable)"
    lookup, found = outcome.lookup, outcome.file
    if lookup is not None and found is not None and found.path in lookup.fallback:
        return "the page stands for what is missing (--spa)"
    if found is not None and found.media_type:
        return "a listing is checked each time"
    if 300 <= outcome.unfinished.status < 400 and outcome.unfinished.status != 304 and _redirect(outcome):
        return "rules may change"
    if outcome.options.max_age is None:
        return "the default, which --max-age or a rule would change"
    return "--max-age"


def _of_vary(outcome: Outcome) -> str:
    lookup, found = outcome.lookup, outcome.file
    reasons = []
    if outcome.unfinished.status >= 400:
        reasons.append("errors are JSON for clients that prefer it")
    elif found is not None and found.media_type:
        reasons.append("a listing is HTML or JSON")
    if found is not None and outcome.unfinished.status < 400 and b"Accept-Encoding" in _vary_of(outcome):
        reasons.append("this type may be compressed")
    if lookup is not None and lookup.vary:
        reasons.append("--spa")
    return ", and ".join(reasons)


def _vary_of(outcome: Outcome) -> bytes:
    return b", ".join(value for name, value in outcome.unfinished.fields if name == b"Vary")


def _redirect(outcome: Outcome) -> Redirect | None:
    """The redirect by rule that the response is; None if it is none."""
    rule = outcome.lookup.rule if outcome.lookup else None
    if outcome.lookup is None and isinstance(outcome.event, Request):
        rule = outcome.site.forced_redirect(outcome.event)
    location = dict(outcome.unfinished.fields).get(b"Location")
    return rule if isinstance(rule, Redirect) and rule.location == location else None


def _of_location(outcome: Outcome) -> str:
    if redirect := _redirect(outcome):
        return redirect.rule.place
    if isinstance(outcome.finding, Moved):
        return "--clean-urls"
    if isinstance(outcome.event, Request) and outcome.event.target.unescaped:
        return "the target, escaped"
    return "the address of a directory ends in a slash"
