"""The candidates of a lookup: which of them is found (try_files of nginx)."""

from collections.abc import Callable

from pwb_async.core.semantics.codings import Acceptable
from pwb_async.core.site.findings import NOT_FOUND, Directory, Finding, Moved, NotFound, OpenFile
from pwb_async.core.site.lookup import Candidate, EntryKind, Lookup


def find_first(lookup: Lookup, find: Callable[[Candidate, Acceptable, bool], Finding], read: bool) -> Finding:
    """The first of the lookup's candidates that exists.

    find: finds one, for a client that accepts these codings, with its content or without. read: whether the content is
    needed.
    """
    for candidate in lookup.candidates:
        finding = find(candidate, lookup.codings, read and candidate.status != 301)
        if isinstance(finding, NotFound) or (isinstance(finding, Directory) and candidate.kind is EntryKind.FILE):
            continue
        if candidate.status != 200 and isinstance(finding, OpenFile):
            return Moved(finding.path) if candidate.status == 301 else finding._replace(status=candidate.status)
        return finding
    return NOT_FOUND
