"""What a site has at a target by itself: the file, the directory, and the page if there is neither."""

from dataclasses import dataclass

from pwb_async.core.semantics.accept import accepted
from pwb_async.core.semantics.messages import Request

from .clean_urls import clean_candidates
from .error_files import LEVELS
from .lookup import Candidate, Lookup, candidates_of
from .servable import servable_depth


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """The files of a site, as its options have them. The attributes are those of Site."""

    indexes: tuple[bytes, ...]
    dotfiles: bool
    clean_urls: bool
    listed: bool
    """Whether directories without an index are listed."""
    error_pages: bool

    def lookup_of(self, request: Request, servable: bool) -> Lookup:
        """The lookup of a target, if it is servable, and of the error pages of the site."""
        target, segments = request.target, request.target.segments
        path = b"/".join(segments if servable else segments[: servable_depth(segments, self.dotfiles)])
        candidates: tuple[Candidate, ...] = ()
        if servable:
            candidates = candidates_of(path, target.trailing_slash, self.indexes)
            if self.clean_urls:
                candidates = clean_candidates(target, candidates, self.indexes, self.dotfiles, self.listed)
        directory = None
        if self.error_pages and not accepted(request.fields).prefers_json:
            directory = segments if target.trailing_slash else segments[:-1]
            if not servable:
                directory = directory[: servable_depth(directory, self.dotfiles)]
            directory = directory[:LEVELS]
        logged_path = path + b"/" if path and target.trailing_slash else path
        return Lookup(request, logged_path, candidates, cacheable=bool(target.cache_key), error_directory=directory)
