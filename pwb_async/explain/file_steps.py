"""The steps of the explanation about files: the candidates, and the page of an error."""

import errno
import os
import stat
from collections.abc import Iterator

from pwb_async.core.site.findings import (
    Directory,
    Finding,
    Forbidden,
    Moved,
    NotFound,
    OpenFile,
    Refused,
    StorageError,
    Unavailable,
)
from pwb_async.core.site.lookup import Candidate, EntryKind, Lookup
from pwb_async.core.site.redirect_rules import Rewrite

from .explanation import Detail, Step, Verdict
from .outcome import Outcome, count_bytes, shown, why_not_opened


def candidates_step(outcome: Outcome, lookup: Lookup) -> Step:
    """Which of the candidates was found, and why the others were not."""
    finding = outcome.finding
    if not lookup.candidates:
        return Step("candidates", "none" if lookup.rule else "none: this path is never served")
    return Step("candidates", _result(finding, lookup), tuple(_details(outcome, lookup)))


def _result(finding: Finding | None, lookup: Lookup) -> str:
    match finding:
        case OpenFile(media_type=media) if media:
            return "a directory"
        case OpenFile(path=path) if path in [each.path for each in lookup.candidates]:
            return shown(path)
        case Moved(path=path):
            return f"{shown(path)}, which has another address"
        case Directory():
            return "a directory"
        case Forbidden():
            return "403, since it cannot be read"
        case Refused(status=status):
            return f"{status}, whatever is found"
        case Unavailable(detail=detail) | StorageError(detail=detail):
            return f"the disk fails: {detail}"
    return "nothing is found"


def _details(outcome: Outcome, lookup: Lookup) -> Iterator[Detail]:
    ended = False
    files: set[bytes] = set()
    for each in lookup.candidates:
        slash = "/" if each.path and (each.kind is EntryKind.DIRECTORY or each.path in files) else ""
        files.add(each.path)
        origin = _origin(outcome, lookup, each)
        subject = f"{shown(each.path)}{slash}{f' ({origin})' if origin else ''}"
        if ended:
            yield Detail(subject, Verdict.NOT_ASKED, "is not looked for")
            continue
        ended = _is_found(outcome, each)
        verdict = Verdict.CHOSEN if ended else Verdict.LOST
        yield Detail(subject, verdict, _found(outcome, lookup, each) if ended else _lost(outcome, each))
    if outcome.options.spa and not lookup.fallback and not ended:
        reason = "is for navigations: Sec-Fetch-Mode is navigate, or Accept names text/html; no dot in the name"
        yield Detail("the page of --spa", Verdict.NOT_ASKED, reason)


def _origin(outcome: Outcome, lookup: Lookup, candidate: Candidate) -> str:
    """What has added a candidate to that of the path itself; "" for that one."""
    path = candidate.path
    if path in lookup.fallback:
        return "--spa"
    if isinstance(rule := lookup.rule, Rewrite):
        own = b"/".join(rule.segments)
        if candidate.kind is EntryKind.FILE and path in (own, *outcome.indexes(own)):
            return rule.rule.place
    if candidate.status == 301 or path == b"/".join(lookup.request.target.segments) + b".html":
        return "--clean-urls"
    return "--index" if path in outcome.indexes(lookup.path.rstrip(b"/")) else ""


def _is_found(outcome: Outcome, candidate: Candidate) -> bool:
    """Whether the search ended with this candidate."""
    match outcome.finding:
        case OpenFile(path=path) | Moved(path=path):
            return path == candidate.path
        case NotFound() | Refused():
            return False
    last = next(reversed(list(outcome.attempts(candidate.path))), None)
    if last is None:
        return False
    if isinstance(outcome.finding, Forbidden):
        return last.errno in (errno.EACCES, errno.EPERM)
    is_directory = last.status is not None and stat.S_ISDIR(last.status.st_mode)
    return isinstance(outcome.finding, Directory) and is_directory and candidate.kind is not EntryKind.FILE


def _found(outcome: Outcome, lookup: Lookup, candidate: Candidate) -> str:
    with_status = "" if candidate.status == 200 else f", sent with {candidate.status}"
    match outcome.finding:
        case OpenFile(media_type=media) if media:
            is_archive = lookup.listing is not None and lookup.listing.archive
            what = "sent as an archive (--zip-downloads)" if is_archive else "listed (--browse)"
            return f"is a directory without an index, which is {what}"
        case Moved():
            return "is a file, whose address has no .html"
        case Directory():
            if candidate.kind is EntryKind.DIRECTORY:
                return "is a directory without an index, which is not listed without --browse"
            return "is a directory, whose address ends in a slash"
        case Forbidden():
            return "exists, but this process has no permission to read it"
    size = next((each.status.st_size for each in outcome.attempts(candidate.path) if each.status), None)
    return f"is a file{'' if size is None else f' of {count_bytes(size)}'}{with_status}"


def _lost(outcome: Outcome, candidate: Candidate) -> str:
    last = next(reversed(list(outcome.attempts(candidate.path))), None)
    if last is None and isinstance(outcome.finding, Refused):
        return "is not looked for"
    if last is None:
        return "no file can have such a name" if b"\0" in candidate.path else "no directory is served there"
    if last.errno is not None:
        return why_not_opened(last.errno)
    mode = 0 if last.status is None else last.status.st_mode
    if stat.S_ISREG(mode):  # which an access rule keeps from this client
        return "is a file"
    return "is a directory" if stat.S_ISDIR(mode) else "is neither a file nor a directory"


def error_page_step(outcome: Outcome, lookup: Lookup) -> Step:
    """Which page an error has."""
    status, page = outcome.response.status, outcome.file
    if lookup.error_directory is None:
        reason = "as JSON, which Accept prefers" if outcome.options.error_pages else "with --no-error-pages"
        return Step("error page", f"PWB's own, {reason}")
    if isinstance(outcome.finding, Refused):
        return Step("error page", f"{status}.html of the root" if outcome.finding.page else "PWB's own")
    names = (b"%d.html" % status, b"50x.html")
    tried = [each for each in outcome.opened if os.path.basename(each.path) in names]
    details = []
    for each in tried:
        chosen = page is not None and page.path.endswith(each.path)
        reason = "is sent" if chosen else "is no file" if each.errno is None else why_not_opened(each.errno)
        details.append(Detail(shown(each.path), Verdict.CHOSEN if chosen else Verdict.LOST, reason))
    return Step("error page", "PWB's own" if page is None else shown(page.path), tuple(details))
