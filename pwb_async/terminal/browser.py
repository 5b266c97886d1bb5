"""Opening a site in a browser: --open, and the key o."""

import logging
import os
import subprocess
import sys
from typing import Final

logger: Final = logging.getLogger("pwb")
_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
"""Variables of which one is set where a browser can show a window, or where the user names a browser."""
_started: Final[list["subprocess.Popen[bytes]"]] = []
"""The processes that may still run; one that has ended is kept by the system until it is waited for, as poll() does."""


def open_browser(url: str) -> None:
    """Open a URL in the user's browser, in a process of its own, so that nothing waits for it.

    url: "" for a server at a Unix socket alone, which no browser can open. Without a display the standard library would
    start a text browser in the terminal of the server; then only a warning is logged.
    """
    if not url:
        logger.warning("no browser can open a Unix socket")
        return
    if sys.platform not in ("win32", "darwin") and not any(os.environ.get(name) for name in _DISPLAYS):
        logger.warning("there is no display in which a browser could open %s", url)
        return
    null = subprocess.DEVNULL
    command = [sys.executable, "-m", "webbrowser", url]
    try:
        process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603
    except OSError as error:
        logger.warning("no browser can be started: %s", error.strerror)
        return
    _started[:] = [*(each for each in _started if each.poll() is None), process]
