"""The root directory while it is open: all that is opened beneath it is of one release (hazard D6)."""

from .open_beneath import Opener
from .open_file import Descriptor


class Root(Descriptor):
    """An open root directory."""

    __slots__ = ("_opener",)

    def __init__(self, fd: int, opener: Opener) -> None:
        super().__init__(fd)
        self._opener = opener

    def open(self, path: bytes, flags: int) -> Descriptor:
        """Open a path beneath the root. flags: FILE_FLAGS or DIRECTORY_FLAGS. Raises OSError."""
        return Descriptor(self._opener(self.fileno(), path, flags))
