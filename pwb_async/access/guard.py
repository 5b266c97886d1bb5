"""The guard that the options describe: hosts, addresses, and passwords, in this order.

403     a host that --allowed-host does not name, or an address that a rule does not admit
401     no credentials, or wrong ones; the same for a file, a directory and nothing, and before any redirect
429     too many wrong passwords of one client; credentials that are known already still pass

What rules refuse has the site's own page, if there is one (pages.py). A host that is not served gets none of its files.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from pwb_async.core.semantics.credentials import basic_challenge, parse_basic
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.target import host_name
from pwb_async.core.site.access import AccessRule, AccessRules, Check, Guard, Refusal
from pwb_async.core.site.cors import is_preflight
from pwb_async.core.site.findings import Directory, Finding, Moved, OpenFile, Refused, StorageError, Unavailable
from pwb_async.core.site.lookup import Lookup, Storage
from pwb_async.core.site.responder import Responder

from .attempts import Attempts
from .htpasswd import Htpasswd
from .pages import RefusalPages

_FORBIDDEN: Final = Refusal(403)
_Rules: TypeAlias = tuple[AccessRule, ...]


class Access:
    """The access rules of a site, with the files of users that they name."""

    def __init__(
        self,
        rules: AccessRules,
        files: Mapping[str, Htpasswd],
        *,
        hosts: Iterable[str] = (),
        preflights: bool = False,
        attempts: Attempts | None = None,
    ) -> None:
        """files: the file of each path that a rule names. hosts: the hosts that are served; () for any.

        preflights: whether the preflights of CORS, which have no credentials, pass.
        """
        self.rules = rules
        """The rules."""
        self.attempts = attempts or Attempts()
        """The wrong passwords of each client."""
        self.pages: RefusalPages | None = None
        """The site's pages for refusals; None if it has none of its own for any error."""
        self._files = files
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._preflights = preflights

    def guard(self, site: Responder) -> Guard:
        """The guard of a site with these rules."""
        return AccessGuard(self, site)

    def guarded(self, storage: Storage) -> Storage:
        """A storage that judges what it finds, too, if that makes a difference."""
        return GuardedStorage(storage, self) if self.rules.by_path else storage

    def serves(self, request: Request) -> bool:
        """Whether the host of a request is served."""
        return not self._hosts or host_name(request.target.authority or request.fields.host) in self._hosts

    def alone(self, rule: AccessRule) -> "Access":
        """The access of a site with this rule for all paths and no other, which shows whether it refuses a request."""
        return Access(AccessRules((replace(rule, pattern=None),)), self._files, preflights=self._preflights)

    def judge(self, client: str, request: Request) -> "Refusal | Unverified | None":
        """Whether a request is refused for its path. It never blocks."""
        rules = self.rules.at(request.target.segments)
        return self._judge(client, request, rules) if rules else None

    def judge_found(self, lookup: Lookup, paths: Iterable[bytes]) -> Refusal | None:
        """Whether a request is refused for paths of which the response tells something. It may block."""
        request = lookup.request
        rules = dict.fromkeys(rule for path in paths for rule in self.rules.beyond(request.target.segments, path))
        verdict = self._judge(lookup.client, request, tuple(rules)) if rules else None
        return self.verify(verdict) if isinstance(verdict, Unverified) else verdict

    def page(self, request: Request, status: int) -> bytes:
        """The content of the page with which a request is refused; b"" for one of PWB's own.

        A page to which more rules apply than to the request is not sent.
        """
        page = None if self.pages is None else self.pages.get(status)
        return b"" if page is None or self.rules.beyond(request.target.segments, page.path) else page.content

    def _judge(self, client: str, request: Request, rules: _Rules) -> "Refusal | Unverified | None":
        authorization = request.fields.get(b"authorization")
        unknown = False
        for rule in rules:
            if rule.by_address and not rule.admits(client):
                return _FORBIDDEN
        if self._preflights and is_preflight(request):
            return None
        for rule in rules:
            if rule.htpasswd and (authorization is None or not self._files[rule.htpasswd].has_verified(authorization)):
                if parse_basic(authorization) is None:
                    return _unauthorized(rule)
                unknown = True
        if not unknown or authorization is None:
            return None
        wait = self.attempts.begin(client)
        return Refusal(429, ((b"Retry-After", b"%d" % wait),)) if wait else Unverified(client, authorization, rules)

    def verify(self, unverified: "Unverified") -> Refusal | None:
        """Whether a request is refused for its credentials. It blocks as long as the check of a password takes."""
        for rule in unverified.rules:
            if rule.htpasswd and not self._files[rule.htpasswd].verify(unverified.authorization):
                return _unauthorized(rule)
        self.attempts.forgive(unverified.client)
        return None

    def reload(self, *, log: bool = True) -> bool:
        """Read the files of users again that have changed, and the pages; return whether users have changed.

        It may wait for the disk. log: whether mistakes are logged.
        """
        changes = [file.reload(log=log) for file in self._files.values()]
        if self.pages is not None:
            self.pages.reload()
        return any(changes)


class Unverified(NamedTuple):
    """Credentials that have to be verified."""

    client: str
    authorization: bytes
    rules: _Rules


class AccessGuard:
    """The Guard of a site with access rules."""

    def __init__(self, access: Access, site: Responder) -> None:
        self._access, self._site = access, site

    def __call__(self, client: str, request: Request) -> Response | Check | None:
        """A response that refuses the request, a check of its password, or None."""
        if not self._access.serves(request):
            return self._site.error(request, 403)
        verdict = self._access.judge(client, request)
        if isinstance(verdict, Unverified):
            return Check(partial(self._verify, request, verdict))
        return verdict and self._refuse(request, verdict)

    def _verify(self, request: Request, unverified: Unverified) -> Response | None:
        refusal = self._access.verify(unverified)
        return refusal and self._refuse(request, refusal)

    def _refuse(self, request: Request, refusal: Refusal) -> Response:
        page = self._access.page(request, refusal.status)
        return self._site.error(request, refusal.status, *refusal.fields, page=page)


class GuardedStorage:
    """A storage around a storage that judges lookups by what their responses tell of other paths."""

    def __init__(self, storage: Storage, access: Access) -> None:
        self._storage = storage
        self._access = access
        self.revalidate = storage.revalidate

    def find(self, lookup: Lookup) -> Finding:
        """What the other storage finds, or a Refused."""
        finding, request = self._storage.find(lookup), lookup.request
        if lookup.exempt:
            return finding
        page = _error_page(lookup, finding)
        if page is not None and self._access.rules.beyond(request.target.segments, page.path):
            _close(finding)
            finding = self._storage.find(replace(lookup, error_directory=None))
        refusal = self._access.judge_found(lookup, _tried(lookup, finding))
        if refusal is None:
            return finding
        _close(finding)
        return Refused(*refusal, page=self._access.page(request, refusal.status))


def _error_page(lookup: Lookup, finding: Finding) -> OpenFile | None:
    """The site's page for an error, if one was found."""
    if isinstance(finding, Unavailable | StorageError):
        return finding.page
    if not isinstance(finding, OpenFile) or finding.status < 400:
        return None
    return None if finding.path in [each.path for each in lookup.candidates] else finding


def _tried(lookup: Lookup, finding: Finding) -> Iterator[bytes]:
    """The paths that were tried until one was found, that one included; all of them if nothing was.

    A response tells of the others that there is no such file, which 401 and 403 do not tell. For a directory and its
    listing it tells no more than that there is no index.
    """
    if isinstance(finding, OpenFile) and finding.media_type:
        return
    if isinstance(finding, Directory) and not lookup.names_directory:
        return
    found = finding.path if isinstance(finding, OpenFile | Moved) else None
    for candidate in lookup.candidates:
        yield candidate.path
        if candidate.path == found:
            return


def _close(finding: Finding) -> None:
    if isinstance(finding, OpenFile) and finding.file is not None:
        finding.file.close()


def _unauthorized(rule: AccessRule) -> Refusal:
    return Refusal(401, ((b"WWW-Authenticate", basic_challenge(rule.realm)),))
