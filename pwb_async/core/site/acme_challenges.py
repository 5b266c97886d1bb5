"""The challenges of ACME: files by which an authority sees that a server has the name that a certificate is for.

They are at /.well-known/acme-challenge/, on port 80 (RFC 8555 8.3). An authority has no password, and asks from
anywhere, so no rule of a site applies to them. What they contain is of no use to any other client.
"""

import re
from typing import Final

from pwb_async.core.semantics.messages import Request

from .lookup import Candidate, EntryKind, Lookup

FOLDER: Final = b".well-known/acme-challenge"
"""Where the challenges are, beneath the root."""
_SEGMENTS: Final = tuple(FOLDER.split(b"/"))
_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]+")
"""The name of a challenge (RFC 8555 8.3)."""


def is_challenge(request: Request) -> bool:
    """Whether a request is for a challenge."""
    *folder, name = request.target.segments or (b"",)
    is_file = not request.target.trailing_slash and _TOKEN.fullmatch(name) is not None
    return is_file and tuple(folder) == _SEGMENTS and request.method in (b"GET", b"HEAD")


def challenge_lookup(request: Request, root: bytes) -> Lookup:
    """The lookup of the file for a request for which is_challenge() is true.

    root: the path at which the site has the directory with that folder, without a slash at either end.
    """
    path = b"/".join((*([root] if root else []), *request.target.segments))
    return Lookup(request, path, (Candidate(path, EntryKind.FILE),), cacheable=False, exempt=True)
