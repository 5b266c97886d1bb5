"""Listening sockets, the same for every design.

They are a Unix socket, or one socket for each address of a host, which may be an IPv4 or IPv6 address or a name that
has several (hazards F5 to F7).
"""

import errno
import logging
import os
import socket
import stat
from contextlib import suppress
from typing import Final

logger: Final = logging.getLogger("pwb")
_RECEIVE_BUFFER: Final = 32 * 1024
"""Bytes that the kernel buffers of what a client has sent; Linux doubles it."""
BACKLOG: Final = 2048
"""Connections that the kernel keeps until they are accepted; the limit is min(this, net.core.somaxconn)."""
_MISSING: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""No interface has the address, or the kernel does not support its family."""
_MAPPED: Final = "::ffff:"
"""The prefix of an IPv4 client's address on an IPv6 socket (RFC 4291 2.5.5.2)."""


def listen(
    host: str,
    port: int,
    unix: str | None = None,
    mode: int | None = None,
    group: int | None = None,
) -> list[socket.socket]:
    """The socket at the path `unix`, else one for each address of `host`.

    All addresses of a host have the same port, also if `port` is 0, which means any free one. `mode` and `group` are
    those of the Unix socket's file. Raises OSError.
    """
    return [listen_at(unix, mode, group)] if unix is not None else listen_on(host, port)


def _encode_address(host: str) -> bytes | str:
    """`host` for getaddrinfo(): a numeric address as bytes, as any other argument loads the IDNA codec (0.35 MB)."""
    numeric = ":" in host or host.replace(".", "").isdigit()
    return host.encode() if numeric and host.isascii() else host


def listen_on(host: str, port: int) -> list[socket.socket]:
    """One socket for each address of `host` that this machine has.

    In containers /etc/hosts often gives localhost the address ::1, which no interface has. That causes only a warning
    if there is another address.
    """
    try:
        found = dict.fromkeys(
            socket.getaddrinfo(_encode_address(host), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        )
    except UnicodeError:  # a label is empty or too long, or has letters that are not allowed
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
    for place, reason in missing:
        logger.warning("not listening on %s, an address of %s: %s", place, host, reason.strerror)
    return sockets


def _bind(sock: socket.socket, address: tuple[object, ...], alone: bool) -> socket.socket:
    """The socket, bound and listening. `alone` is whether the host has no other address."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. Requests are small, and little of an endless one should be buffered (hazard B8).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if sock.family == socket.AF_INET6:
            # "::" alone accepts IPv4 connections as well; beside an IPv4 socket it must not.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not alone)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


class UnixListener(socket.socket):
    """A listening Unix socket. All users with write permission for its file may connect."""

    _path: str | None = None

    def create_file(self, path: str, mode: int | None, group: int | None) -> None:
        """Bind the socket to a file with this mode and group; None for those of the umask and the process.

        No client can connect before listen(), so there is no moment at which the file has more permissions than it
        should, and the umask, which all threads share, need not be changed.
        """
        self.bind(path)
        self._path, self._identity = path, _identity(path)
        if mode is not None or group is not None:
            _set_permissions(path, mode, group)

    def adopt_file(self) -> None:
        """Take the file over from another process, which had made it and leaves it; unless it has been removed."""
        with suppress(OSError):
            path: str = self.getsockname()
            self._path, self._identity = path, _identity(path)

    def leave_file(self) -> None:
        """Leave the file to another process."""
        self._path = None

    def remove_file(self) -> None:
        """Remove the file, unless another process has replaced it."""
        try:
            if self._path is not None and _identity(self._path) == self._identity:
                os.unlink(self._path)
        except OSError:
            return


def _set_permissions(path: str, mode: int | None, group: int | None) -> None:
    """Set mode and group of the socket's file, and of no other file that takes its place at this moment."""
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status, file = os.fstat(fd), f"/proc/self/fd/{fd}"
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            raise FileExistsError(errno.EEXIST, "another process has put a file there")
        if group is not None:
            _set_group(file, group)
        if mode is not None:
            os.chmod(file, mode)
    finally:
        os.close(fd)


def _set_group(file: str, group: int) -> None:
    """Change the group of a file. The PermissionError it may raise gives the reason."""
    try:
        os.chown(file, -1, group)
    except PermissionError as error:
        if group in (os.getegid(), *os.getgroups()):
            raise
        raise PermissionError(error.errno, "only a member of a group may give the socket to it") from None


def listen_at(path: str, mode: int | None, group: int | None) -> socket.socket:
    """A socket that listens at `path`. It replaces the file of one on which no process listens any more."""
    path = os.path.abspath(path)
    sock = UnixListener(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            os.unlink(path)
        sock.create_file(path, mode, group)
        sock.listen(BACKLOG)
    except BaseException:
        sock.remove_file()
        sock.close()
        raise
    return sock


def _is_stale(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file that is not a socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)  # connect() would block if the queue of a listening socket is full
            probe.connect(path)
    except FileNotFoundError:
        return False
    except ConnectionRefusedError:
        return True
    except BlockingIOError:
        pass
    raise OSError(errno.EADDRINUSE, "another process listens on it")


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def close(sockets: list[socket.socket]) -> None:
    """Close the sockets and remove the files of Unix sockets."""
    for sock in sockets:
        if isinstance(sock, UnixListener):
            sock.remove_file()
        sock.close()


def peer_address(name: object) -> str:
    """The IP address of a peer, from what getpeername() or accept() returned; "-" on a Unix socket.

    The address of an IPv4 peer is the IPv4 address, also on an IPv6 socket.
    """
    if not isinstance(name, tuple):
        return "-"
    host: str = name[0]
    return host.removeprefix(_MAPPED) if "." in host else host


def peer_prefix(peer: str) -> bytes:
    """The prefix of an address for which connections are counted; b"" if there is no address, on a Unix socket.

    It is the whole IPv4 address, or the /64 of an IPv6 address, because an IPv6 host usually has a /64 to itself.
    """
    if ":" not in peer:
        return peer.encode() if "." in peer else b""
    return socket.inet_pton(socket.AF_INET6, peer.partition("%")[0])[:8]


def url(sock: socket.socket, path: str = "/", scheme: str = "http") -> str:
    """The URL of what listens on `sock`, with this path; of a Unix socket its own path behind unix:."""
    if sock.family == socket.AF_UNIX:
        return f"unix:{sock.getsockname()}" + (" with TLS" if scheme == "https" else "")
    host, port = sock.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}{path}" if sock.family == socket.AF_INET6 else f"{scheme}://{host}:{port}{path}"
