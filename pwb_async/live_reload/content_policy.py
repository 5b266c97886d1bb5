"""Content-Security-Policy of pages with the script of live reload: it must run, and may connect to the event stream.

What a policy forbids is not undone, but for that. The script is from the site's own origin, so 'self' is enough, except
with 'strict-dynamic', which trusts no origin: there it has a nonce.
"""

from typing import Final

_SCRIPTS: Final = (b"script-src-elem", b"script-src", b"default-src")
_CONNECTIONS: Final = (b"connect-src", b"default-src")
"""The directives that may decide, the most exact one first (CSP3 6.8)."""
_NONE: Final = b"'none'"
_SELF: Final = b"'self'"
_STRICT_DYNAMIC: Final = b"'strict-dynamic'"


def admit_script(value: bytes, nonce: bytes) -> bytes:
    """The value of a field Content-Security-Policy, which may hold several policies, that lets the script work."""
    return b", ".join([_admit(policy, nonce) for policy in value.split(b",")])


def _admit(policy: bytes, nonce: bytes) -> bytes:
    directives: dict[bytes, list[bytes]] = {}
    for directive in policy.split(b";"):
        if words := directive.split():
            directives.setdefault(words[0].lower(), words[1:])  # of two equal ones the second is ignored (CSP3 2.2.1)
    changed = _add_source(directives, _SCRIPTS, nonce) | _add_source(directives, _CONNECTIONS, None)
    if not changed:
        return policy.strip()
    return b"; ".join([b" ".join([name, *sources]) for name, sources in directives.items()])


def _add_source(directives: dict[bytes, list[bytes]], names: tuple[bytes, ...], nonce: bytes | None) -> bool:
    """Let the one of these directives that decides admit the script or its connection; return whether it did not.

    default-src stays as it is; a directive that is more exact takes its place.
    """
    name = next((each for each in names if each in directives), None)
    if name is None:
        return False
    sources = directives[name]
    lower = [each.lower() for each in sources]
    if nonce is not None and _STRICT_DYNAMIC in lower:
        added = b"'nonce-%s'" % nonce
    elif _SELF in lower or b"*" in lower:
        return False
    else:
        added = _SELF
    kept = [each for each in sources if each.lower() != _NONE]
    directives[names[-2] if name == names[-1] else name] = [*kept, added]
    return True
