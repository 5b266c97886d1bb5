"""Addresses without .html: --clean-urls.

    /about             about.html; a file about before it, a directory about/ after it
    /about.html        301 to /about
    /about/            its index; without one, 301 to /about if there is about.html
    /sub/index.html    301 to /sub/, as /sub/index

A redirect is sent only if the file exists. So of a file about and a file about.html beside it, only the first one has
an address.
"""

from dataclasses import replace
from typing import Final

from pwb_async.core.semantics.target import Target

from .lookup import Candidate, EntryKind
from .servable import is_servable

_HTML: Final = b".html"


def clean_candidates(
    target: Target, own: tuple[Candidate, ...], indexes: tuple[bytes, ...], dotfiles: bool, listed: bool = False
) -> tuple[Candidate, ...]:
    """The candidates of a target, with those that its address, or a cleaner one, stands for.

    own: without them. listed: whether directories are listed, so that one without an index comes before a file.
    """
    if not target.segments:
        return own
    path, name = b"/".join(target.segments), target.segments[-1]
    if not target.trailing_slash and name.endswith(_HTML):
        # The address of a name such as ..html would end in ".".
        has_address = name.removesuffix(_HTML).strip(b".")
        return (Candidate(path, EntryKind.FILE, 301), *own) if has_address else own
    page = (*target.segments[:-1], name + _HTML)
    if not is_servable(page, dotfiles):
        return own
    if target.trailing_slash:
        end = len(own) if listed else len(own) - 1
        return (*own[:end], Candidate(path + _HTML, EntryKind.FILE, 301), *own[end:])
    status = 301 if page[-1] in indexes[:1] else 200
    return (Candidate(path, EntryKind.FILE), Candidate(path + _HTML, EntryKind.FILE, status), *own)


def clean_location(target: Target, indexes: tuple[bytes, ...], relative: bool) -> bytes:
    """The value of Location for a target whose file has a cleaner address. relative: as in directory_location()."""
    directory, name = target.segments[:-1], target.segments[-1]
    stem = name if target.trailing_slash else name.removesuffix(_HTML)
    is_index = not target.trailing_slash and stem + _HTML in indexes[:1]
    segments: tuple[bytes, ...] = () if is_index else (stem,)
    if not relative:
        return replace(target, segments=directory + segments, trailing_slash=is_index).location
    dots = b".." if target.trailing_slash else b"."
    return dots + replace(target, segments=segments, trailing_slash=is_index).location
