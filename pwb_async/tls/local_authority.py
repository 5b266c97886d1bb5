"""The files of the local authority, in the user's data folder: made once, and never changed.

Both are written into a folder of their own, which then gets its name by a rename; so they exist together or not at all,
and a rename never replaces a folder with files. Only their owner may read the key.
"""

import os
import shutil
import socket
import stat
import tempfile
from typing import Final

from .errors import CertificateError
from .issuing import Authority, Issued, issue_authority

_CERTIFICATE: Final = "authority.pem"
_KEY: Final = "authority.key"
_OTHERS: Final = 0o077
"""The permissions that only the owner of the key may have."""


def certificate_path() -> str:
    """The path of the authority's certificate, which clients have to trust."""
    return os.path.join(_folder(), _CERTIFICATE)


def open_authority() -> Authority:
    """The local authority of this user; made now if there is none. Raises CertificateError."""
    folder = _folder()
    try:
        if not os.path.lexists(folder):
            _create(folder)
        return Authority(_read(folder))
    except OSError as error:
        raise CertificateError(f"{error.filename or folder}: {error.strerror}") from None


def _folder() -> str:
    """The folder of the local authority (XDG Base Directory Specification)."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(data, "pwb", "authority")


def _create(folder: str) -> None:
    parent = os.path.dirname(folder)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    new = tempfile.mkdtemp(dir=parent)
    try:
        issued = issue_authority(socket.gethostname())
        for name, content, mode in ((_CERTIFICATE, issued.certificate, 0o644), (_KEY, issued.key, 0o600)):
            fd = os.open(os.path.join(new, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with open(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(fd)
        try:
            os.rename(new, folder)
        except OSError:
            if not os.path.isdir(folder):  # otherwise another process has just made it
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _read(folder: str) -> Issued:
    contents = []
    for name in (_CERTIFICATE, _KEY):
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if name == _KEY and (stat.S_IMODE(status.st_mode) & _OTHERS or status.st_uid != os.geteuid()):
                raise CertificateError(
                    f"{path}: it must be yours alone; chmod 600 {path}, if no other user has read it"
                )
            contents.append(file.read())
    return Issued(*contents)
