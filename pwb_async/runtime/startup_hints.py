"""Why a server cannot start, and what to do about it, in one line.

Nothing here is imported unless a start fails.
"""

import errno
import os
from typing import Final

from pwb_async.config.options import Options
from pwb_async.config.places import is_store
from pwb_async.network.port_owner import find_owner
from pwb_async.output.printing import did_you_mean

_UNKNOWN_HOST: Final = (-2, -3, -5, 8, errno.EINVAL)
"""Error numbers of getaddrinfo() for a name that is not found, on Linux and macOS, and our own for one that is none."""
_PRIVILEGED: Final = 1024
"""The first port that any user may listen on, by default."""


def describe_failure(program: str, options: Options, action: str, value: str, error: OSError) -> str:
    """The line about a start that has failed at `action`, such as "listen on", with `value`."""
    hint = ""
    if action in ("serve", "listen on"):
        value = os.fsdecode(error.filename or value)
    if action == "serve":
        hint = _hint_for_root(program, value, options, error)
    elif action == "listen on" and value == options.admin:
        hint = _hint_for_admin(value, error)
    elif action == "listen on" and value != options.unix:
        host, _, port = value.rpartition(" port ")
        hint = _hint_for_address(program, host, int(port), error)
    elif action == "write the access log" and error.errno == errno.ENOENT:
        hint = f"its directory is missing: mkdir -p {os.path.dirname(value)}"
    return f"cannot {action} {value}: {error.strerror or error}" + (f" ({hint})" if hint else "")


def _hint_for_root(program: str, path: str, options: Options, error: OSError) -> str:
    """What to do about a directory that cannot be served. path: the one that is named in the message."""
    if path != options.root or is_store(path):
        return ""
    if error.errno == errno.ENOTDIR and os.path.isfile(path):
        return f"it is a file; to serve its directory: {program} {os.path.dirname(path) or '.'}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"this user may not read it; another directory: {program} DIRECTORY"
    if error.errno != errno.ENOENT:
        return f"another directory: {program} DIRECTORY"
    if path.isdigit() and int(path) < 1 << 16:
        return f"a port is an option: {program} --port {path}"
    if path.lower().startswith(("http://", "https://")):
        return f"it is a URL; {program} serves a directory: {program} DIRECTORY"
    if path == "help":
        return f"did you mean {program} --help?"
    if path == Options().root:
        return f"{path} is the default of ROOT; this directory: {program} .; another one: {program} DIRECTORY"
    return f"{_similar(path)}another directory: {program} DIRECTORY"


def _similar(path: str) -> str:
    """A hint at a directory with a similar name, or ""."""
    parent, name = os.path.split(path.rstrip("/"))
    try:
        names = [each.name for each in os.scandir(parent or ".") if each.is_dir()]
    except OSError:
        return ""
    hint = did_you_mean(name, names, lambda each: os.path.join(parent, each))
    return f"{hint.strip(' ()')}; " if hint else ""


def _hint_for_address(program: str, host: str, port: int, error: OSError) -> str:
    """What to do about an address that cannot be listened on."""
    match error.errno:
        case errno.EADDRINUSE:
            owner = find_owner(port)
            by = "" if owner is None else f"{owner.command} (pid {owner.pid}) listens there; "
            next_free = ", or --port-fallback" if program == "pwb" else ""
            return f"{by}another port: --port {port % 65535 + 1}{next_free}"
        case errno.EACCES if port < _PRIVILEGED:
            return f"only root may use ports below {_PRIVILEGED}; another port: --port {_unprivileged(port)}"
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return "this machine does not have this address; all that it has: --host 0.0.0.0, itself alone: 127.0.0.1"
        case number if number in _UNKNOWN_HOST:
            return _hint_for_host(host, port)
    return ""


def _hint_for_admin(address: str, error: OSError) -> str:
    """Which process has the address of --admin, perhaps this one."""
    if error.errno != errno.EADDRINUSE or "/" in address:
        return ""
    owner = find_owner(int(address.rpartition(":")[2]))
    if owner is None:
        return ""
    if owner.pid == os.getpid():
        return "it is the address for clients; --admin needs another port"
    return f"{owner.command} (pid {owner.pid}) listens there"


def _unprivileged(port: int) -> int:
    return {80: 8080, 443: 8443}.get(port, 8000 + port % 1000)


def _hint_for_host(host: str, port: int) -> str:
    _, is_url, rest = host.partition("://")
    if is_url:
        return f"it is a URL; the host alone: --host {rest.partition('/')[0].partition(':')[0] or 'localhost'}"
    if host.startswith("[") and host.endswith("]"):
        return f"an IPv6 address is written without brackets: --host {host[1:-1]}"
    name, colon, number = host.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.startswith("[")):
        return f"the port is an option of its own: --host {name.strip('[]')} --port {number}"
    return "this machine alone: --host 127.0.0.1, all networks: --host 0.0.0.0"
