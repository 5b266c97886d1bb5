"""Which requests are refused: the hooks that run before anything else is done, and the rules of [[access]].

A rule applies to the paths of its pattern and to everything beneath them; it applies to a coded file such as app.js.gz
if it applies to app.js, and to about.html if it applies to about, which is its address with --clean-urls. Upper and
lower case make no difference here, as some file systems make none. All rules that apply to a path count: each must
admit the client, and each that has a file of passwords must know the user.

A path is judged twice: as it is requested, by the guard, and as it is looked up, which may be the index of a directory,
the page of a clean address, or a file that a rewrite names. The second judgement is that of a storage (GuardedStorage),
as only the disk decides what is found; Site.locate makes sure that the cache does not keep it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import FieldList, Request, Response
from pwb_async.core.semantics.networks import NO_NETWORKS, Networks

from .lookup import Lookup
from .patterns import Pattern, beneath

_CODED: Final = (b".br", b".gz", b".zst")
"""The suffixes of coded files."""
_PAGE: Final = b".html"
"""The suffix that an address without it may stand for."""
_MAX_PATHS: Final = 4096
"""Paths whose rules are kept; then all are forgotten."""


class Check(NamedTuple):
    """A check that blocks, such as that of a password hash: the server makes it where it may wait."""

    run: Callable[[], Response | None]
    """Returns a response that refuses the request, or None. If it raises an exception, the response is 500."""


Guard: TypeAlias = Callable[[str, Request], Response | Check | None]
"""A function of the client's address and its request. It returns a response that refuses the request, a check that
blocks, or None.

It is called for every request, before the cache is looked up, and must not block. Several threads may call it at the
same time. If it raises an exception, the response is 500."""
ClientResolver: TypeAlias = Callable[[str, Request | BadRequest], str]
"""A function of the peer's address and a request. It returns the client's address, as a trusted proxy reports it, in
visible ASCII characters, without a quotation mark or a backslash.

It is called once for each exchange, and must not block. Several threads may call it at the same time. If it raises an
exception, or returns no address, a request gets 500, and the client's address is "-"."""


class Refusal(NamedTuple):
    """A refusal of a request: the status code, and fields of the response."""

    status: int
    fields: FieldList = ()


@dataclass(slots=True, eq=False)
class AccessRule:
    """A condition for requests of some paths."""

    place: str
    """Where it was written, such as "pwb.toml line 3" or "--htpasswd"."""
    pattern: Pattern | None
    """The paths, and everything beneath them; None for all."""
    htpasswd: str = ""
    """The file of users and their password hashes; "" if no password is needed."""
    allow: Networks = NO_NETWORKS
    """The networks whose clients are admitted; if there are none, all clients are."""
    deny: Networks = NO_NETWORKS
    """The networks whose clients are refused, even if they are in `allow`."""

    by_address: bool = field(init=False)
    """Whether it depends on the client's address."""

    def __post_init__(self) -> None:
        self.by_address = bool(self.allow or self.deny)

    @property
    def realm(self) -> str:
        """The name under which a browser keeps the password (RFC 9110 11.5)."""
        return "Restricted" if self.pattern is None else self.pattern.text

    def admits(self, client: str) -> bool:
        """Whether a client's address is admitted."""
        return client not in self.deny and (not self.allow or client in self.allow)


def are_private(rules: tuple[AccessRule, ...]) -> bool:
    """Whether responses to which these rules apply are for some clients only, so that no shared cache may keep them."""
    return any(rule.htpasswd or rule.allow for rule in rules)


class AccessRules:
    """All rules of a site that refuse requests.

    Args:
        rules: The rules.
    """

    def __init__(self, rules: Iterable[AccessRule] = ()) -> None:
        self.rules = tuple(rules)
        """The rules, in order."""
        self._compiled = tuple((None if rule.pattern is None else beneath(rule.pattern), rule) for rule in self.rules)
        self._by_path: dict[tuple[bytes, ...], tuple[AccessRule, ...]] = {}
        self.by_path = any(rule.pattern is not None for rule in self.rules)
        """Whether different rules apply to different paths."""

    def __bool__(self) -> bool:
        return bool(self.rules)

    def at(self, segments: tuple[bytes, ...]) -> tuple[AccessRule, ...]:
        """The rules that apply to a path, given as its decoded segments."""
        found = self._by_path.get(segments)
        return self._find(segments) if found is None else found

    def beyond(self, segments: tuple[bytes, ...], path: bytes) -> tuple[AccessRule, ...]:
        """The rules that apply to a file which is served, but not to the path that was requested."""
        if not self.by_path:
            return ()
        judged = self.at(segments)
        return tuple(rule for rule in self.at(tuple(path.split(b"/"))) if rule not in judged)

    def apply(self, lookup: Lookup, client: str) -> Lookup:
        """A lookup with the client if more rules apply to what may be found than to the path that is requested.

        What is found is not cached then, since the guard, which is asked before the cache, judges the path alone. An
        error page makes no difference: one to which more rules apply is sent to no client (GuardedStorage).
        """
        segments = lookup.request.target.segments
        if not any(self.beyond(segments, candidate.path) for candidate in lookup.candidates):
            return lookup
        return replace(lookup, client=client, cacheable=False)

    def _find(self, segments: tuple[bytes, ...]) -> tuple[AccessRule, ...]:
        path = b"/".join(segments)
        names = [path, *(path[: -len(suffix)] for suffix in _CODED if path.lower().endswith(suffix))]
        names += [name[: -len(_PAGE)] for name in names if name.lower().endswith(_PAGE)]
        found = tuple(
            rule
            for compiled, rule in self._compiled
            if compiled is None or any(compiled.fullmatch(name) for name in names)
        )
        if len(self._by_path) >= _MAX_PATHS:
            self._by_path.clear()
        self._by_path[segments] = found
        return found
