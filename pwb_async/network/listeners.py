"""Listening sockets, alike for every design: handed over by systemd, a Unix socket, or the addresses of a host: IPv4,
IPv6, a name with both, port 0 (hazards F5 to F7).
"""

import errno
import logging
import os
import socket
import stat
from typing import Final

from .socket_activation import listen_fds

logger: Final = logging.getLogger("pwb")
_RECEIVES: Final = 32 * 1024
"""Bytes that the kernel keeps of what a client has sent; Linux doubles it."""
BACKLOG: Final = 2048
"""Connections that the kernel keeps for us while we are busy; it takes min(this, net.core.somaxconn)."""
_MISSING: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""No interface has the address, or the kernel does not have its family."""

_MAPPED: Final = "::ffff:"
"""How an IPv6 socket begins the address of an IPv4 client (RFC 4291 2.5.5.2)."""


def listen(
    host: str, port: int, unix: str | None = None, mode: int | None = None, group: int | None = None
) -> list[socket.socket]:
    """The sockets that systemd hands over, else the one at the path `unix`, with that mode and group, else one for each
    address of `host`, all on one port. Raises OSError."""
    if inherited := listen_fds():
        if mode is not None or group is not None:
            logger.warning("--unix-mode and --unix-group are ignored: the sockets were handed over by systemd")
        return inherited
    return [_listen_at(unix, mode, group)] if unix is not None else _listen_on(host, port)


def _listen_on(host: str, port: int) -> list[socket.socket]:
    """One socket for each address of `host` that this machine has. In containers /etc/hosts often gives localhost the
    address ::1, which no interface has: as long as there is another one, that is worth a line and no more."""
    try:
        found = dict.fromkeys(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))
    except UnicodeError:  # a label that is empty or too long, or letters that no domain name has
        raise OSError(errno.EINVAL, "this is not a host name") from None
    sockets: list[socket.socket] = []
    missing: list[tuple[object, OSError]] = []
    try:
        for family, kind, protocol, _, address in found:
            if port == 0 and sockets:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            try:
                sockets.append(_bind(socket.socket(family, kind, protocol), address, alone=len(found) == 1))
            except OSError as error:
                if error.errno not in _MISSING:
                    raise
                missing.append((address[0], error))
        if not sockets:
            raise missing[0][1]
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    for place, why in missing:
        logger.warning("not listening on %s, an address of %s: %s", place, host, why.strerror)
    return sockets


def _bind(sock: socket.socket, address: tuple[object, ...], alone: bool) -> socket.socket:
    """The socket, once it listens. alone: the host has no other address."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it: requests are small, and what comes of an endless one is bounded (hazard B8).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVES)
        if sock.family == socket.AF_INET6:
            # "::" alone takes IPv4 too; beside an IPv4 socket it must not.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not alone)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


class UnixListener(socket.socket):
    """A listening socket that has a name among the files. Who may write there may connect."""

    _path: str | None = None

    def name(self, path: str, mode: int | None, group: int | None) -> None:
        """Gives it a file, and that mode and group, by default those of the umask and the process. This is before
        listen(), and nobody can connect before that, so the file is never open to more than it is meant for; and the
        umask, which all threads share, stays as it is."""
        self.bind(path)
        self._path, self._identity = path, _identity(path)
        if mode is not None or group is not None:
            _grant(path, mode, group)

    def remove(self) -> None:
        """Takes the name away, unless it is somebody else's by now."""
        try:
            if self._path is not None and _identity(self._path) == self._identity:
                os.unlink(self._path)
        except OSError:
            return


def _grant(path: str, mode: int | None, group: int | None) -> None:
    """The socket's file gets its group and its mode, whatever is put in its place meanwhile."""
    number = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status, file = os.fstat(number), f"/proc/self/fd/{number}"
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            raise FileExistsError(errno.EEXIST, "somebody else has put a file there")
        if group is not None:
            _give(file, group)
        if mode is not None:
            os.chmod(file, mode)
    finally:
        os.close(number)


def _give(file: str, group: int) -> None:
    """Changes the group of a file. Raises PermissionError, with the reason where it is that of chown(2)."""
    try:
        os.chown(file, -1, group)
    except PermissionError as error:
        if group in (os.getegid(), *os.getgroups()):
            raise
        raise PermissionError(error.errno, "only a member of a group may give the socket to it") from None


def _listen_at(path: str, mode: int | None, group: int | None) -> socket.socket:
    """A Unix socket. One that is there already is replaced if nobody listens on it any more."""
    path = os.path.abspath(path)
    sock = UnixListener(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            os.unlink(path)
        sock.name(path, mode, group)
        sock.listen(BACKLOG)
    except BaseException:
        sock.remove()
        sock.close()
        raise
    return sock


def _is_stale(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file, and no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)  # whose queue is full listens, too
            probe.connect(path)
    except FileNotFoundError:
        return False
    except ConnectionRefusedError:
        return True
    except BlockingIOError:
        pass
    raise OSError(errno.EADDRINUSE, "somebody listens on it")


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def close(sockets: list[socket.socket]) -> None:
    """No more connections, and no name for them among the files."""
    for sock in sockets:
        if isinstance(sock, UnixListener):
            sock.remove()
        sock.close()


def client_address(name: object) -> str:
    """The address of a client for the log and the limits, from the name of its socket: of an IPv4 client the IPv4
    address, also where it has come to an IPv6 socket; "-" where there is none, on a Unix socket."""
    if not isinstance(name, tuple):
        return "-"
    host: str = name[0]
    return host.removeprefix(_MAPPED) if "." in host else host


def client_prefix(peer: str) -> bytes:
    """Whom connections from `peer` are counted for: an IPv4 address, the /64 that an IPv6 host has to itself; b"" where
    there is no address, on a Unix socket."""
    if ":" not in peer:
        return peer.encode() if "." in peer else b""
    return socket.inet_pton(socket.AF_INET6, peer.partition("%")[0])[:8]


def url(sock: socket.socket) -> str:
    """Where a browser finds what listens on `sock`."""
    if sock.family == socket.AF_UNIX:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}/" if sock.family == socket.AF_INET6 else f"http://{host}:{port}/"
