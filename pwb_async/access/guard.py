"""The guard that the options describe: hosts, addresses, and passwords, in this order.

403     a host that --allowed-host does not name, or an address that a rule does not admit
401     no credentials, or wrong ones; the same for a file, a directory and nothing, and before any redirect
429     too many wrong passwords of one client; credentials that are known already still pass
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from pwb_async.core.semantics.credentials import basic_challenge, parse_basic
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.target import host_name
from pwb_async.core.site.access import AccessRule, AccessRules, Check, Guard, Refusal
from pwb_async.core.site.cors import is_preflight
from pwb_async.core.site.lookup import Finding, Lookup, Moved, OpenFile, Refused, Storage
from pwb_async.core.site.responder import Responder

from .attempts import Attempts
from .htpasswd import Htpasswd

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
        self._files = files
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._preflights = preflights

    def guard(self, site: Responder) -> Guard:
        """The guard of a site with these rules."""
        return AccessGuard(self, site)

    def guarded(self, storage: Storage) -> Storage:
        """A storage that judges what it finds, too, if that makes a difference."""
        return GuardedStorage(storage, self) if self.rules.by_path else storage

    def judge(self, client: str, request: Request) -> "Refusal | Unverified | None":
        """Whether a request is refused for its host and its path. It never blocks."""
        if self._hosts and host_name(request.target.authority or request.fields.host) not in self._hosts:
            return _FORBIDDEN
        rules = self.rules.at(request.target.segments)
        return self._judge(client, request, rules) if rules else None

    def judge_served(self, lookup: Lookup, path: bytes) -> Refusal | None:
        """Whether a request is refused for the path of the file that it gets. It may block."""
        request = lookup.request
        rules = self.rules.beyond(request.target.segments, path)
        verdict = self._judge(lookup.client, request, rules) if rules else None
        return self.verify(verdict) if isinstance(verdict, Unverified) else verdict

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
        """Read the files again that have changed; return whether there are any. It may wait for the disk."""
        changes = [file.reload(log=log) for file in self._files.values()]
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
        verdict = self._access.judge(client, request)
        if verdict is None:
            return None
        if isinstance(verdict, Unverified):
            return Check(partial(self._verify, request, verdict))
        return self._refuse(request, verdict)

    def _verify(self, request: Request, unverified: Unverified) -> Response | None:
        refusal = self._access.verify(unverified)
        return refusal and self._refuse(request, refusal)

    def _refuse(self, request: Request, refusal: Refusal) -> Response:
        return self._site.error(request, refusal.status, *refusal.fields)


class GuardedStorage:
    """A storage around a storage that judges a file which was found by its own path (AccessRules.beyond)."""

    def __init__(self, storage: Storage, access: Access) -> None:
        self._storage = storage
        self._access = access
        self.revalidate = storage.revalidate

    def find(self, lookup: Lookup) -> Finding:
        """What the other storage finds, or a Refused."""
        finding = self._storage.find(lookup)
        if not isinstance(finding, OpenFile | Moved):
            return finding
        refusal = self._access.judge_served(lookup, finding.path)
        if refusal is None:
            return finding
        if isinstance(finding, OpenFile) and finding.file is not None:
            finding.file.close()
        return Refused(*refusal)


def _unauthorized(rule: AccessRule) -> Refusal:
    return Refusal(401, ((b"WWW-Authenticate", basic_challenge(rule.realm)),))
