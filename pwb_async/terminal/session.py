"""What a person at a terminal has of a server: the banner, the status line and the keys.

    watch()     before the server starts: have it count its traffic
    banner()    as soon as it accepts connections: what to print
    begin()     then: start the thread of status line and keys
    close()     when it has ended: give the terminal back

The thread sends this process the signals that a person would send it: q SIGTERM, r SIGHUP. So nothing of this touches
the event loop, and a server that is run by a supervisor, which must have no thread, has the banner alone.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from pwb_async.config.language import preferred
from pwb_async.output.colours import Style, can_move, has_colours, is_terminal
from pwb_async.output.writer import set_write
from pwb_async.runtime.context import ServerContext

from .addresses import Addresses, find_addresses
from .banner import banner
from .browser import open_browser
from .last_line import LastLine, in_background
from .status import status
from .traffic import Traffic
from .words import WORDS

if TYPE_CHECKING:
    from .keyboard import Keyboard

_INTERVAL: Final = 1.0
"""Seconds between two status lines."""
_DEFAULT_COLUMNS: Final = 80
"""Columns of a terminal that does not tell how many it has."""
_JOIN_TIMEOUT: Final = 0.5
"""Seconds that the thread has to end."""


class Session:
    """A person at the terminal that is standard output."""

    def __init__(self, *, alone: bool) -> None:
        """alone: whether the server runs in this process, so that there may be a thread beside it."""
        self._traffic = Traffic()
        self._words = WORDS[preferred()]
        self._colours = has_colours(sys.stdout, os.environ)
        self._live = alone and sys.platform != "win32" and can_move(sys.stdout, os.environ)
        self._has_keys = self._live and is_terminal(sys.stdin)
        self._addresses = Addresses((), (), ())
        self._ended = False
        self._thread: threading.Thread | None = None
        self._keyboard: Keyboard | None = None

    def watch(self, context: ServerContext) -> ServerContext:
        """The same context with an observer of its traffic."""
        return context._replace(observers=(*context.observers, self._traffic.record)) if self._live else context

    def banner(self, context: ServerContext) -> str:
        """The banner, with the QR code if that is asked for."""
        self._addresses, encoding = find_addresses(context), sys.stdout.encoding
        words = self._words = _that_fit(self._words, encoding)
        lines = [*banner(context, self._addresses, words, Style(self._colours), _columns(), self._how_to_end(words))]
        if context.options.qr:
            lines += _qr_code(self._addresses, words, self._colours, encoding)
        return "\n".join(lines)

    def _how_to_end(self, words: Mapping[str, str]) -> str:
        """The keys that control the server, or what ends it where there are none."""
        if in_background(sys.stdout.fileno()):
            return words["background"].format(pid=os.getpid())
        return words["key hints"] if self._has_keys else words["stop"]

    def begin(self) -> None:
        """Start the thread."""
        if self._live:
            from .keyboard import Keyboard  # it needs termios, which Windows lacks

            terminal = sys.stdin if self._has_keys else sys.stdout
            self._keyboard = Keyboard(terminal.fileno(), has_keys=self._has_keys)
            self._thread = threading.Thread(target=self._run, args=(self._keyboard,), name="pwb-terminal", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Remove the status line, and give the terminal its modes back."""
        if self._thread is not None and self._keyboard is not None:
            self._ended = True
            self._keyboard.interrupt()
            self._thread.join(_JOIN_TIMEOUT)  # it may hang in a write to a terminal that Ctrl-S has stopped
            self._keyboard.restore()

    def _run(self, keyboard: "Keyboard") -> None:
        url = self._addresses.first
        line = LastLine(sys.stdout.fileno(), sys.stdout.encoding, colours=self._colours)
        line.make = self._status
        set_write(line.write)
        actions: dict[str, Callable[[], object]] = {
            "q": lambda: os.kill(os.getpid(), signal.SIGTERM),
            "r": lambda: os.kill(os.getpid(), signal.SIGHUP),
            "o": lambda: open_browser(url),
        }
        try:
            while not self._ended:
                line.show(self._status())
                if action := actions.get(keyboard.read(_INTERVAL).lower()):
                    action()
        finally:
            line.make = None
            line.show("")
            set_write(os.write)
            keyboard.close()

    def _status(self) -> str:
        return status(self._traffic, self._words, keys=self._has_keys, columns=_columns() - 1)


def _qr_code(addresses: Addresses, words: Mapping[str, str], colours: bool, encoding: str) -> list[str]:
    from .qr_code import qr_code

    if not addresses.network:
        return [f"  {words['no qr code']}", ""]
    lines = [f"  {line}" for line in qr_code(addresses.network[0], colours=colours)]
    return [*lines, ""] if _can_encode("".join(lines), encoding) else []


def _that_fit(words: Mapping[str, str], encoding: str) -> Mapping[str, str]:
    """The words if a terminal with this encoding can show them, else the English ones."""
    return words if _can_encode("".join(words.values()), encoding) else WORDS["en"]


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _columns() -> int:
    """The columns that the terminal has now; COLUMNS in the environment may be those that it had before."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _DEFAULT_COLUMNS
    except OSError:  # it has been closed
        return _DEFAULT_COLUMNS
