"""Modules that are imported once the server accepts connections, since no response needs them that is small or cached.

They would take a tenth of the time until the first response.
"""

from importlib import import_module
from typing import Final

LATE_IMPORTS: Final = ("aiofiles.os",)
"""The modules; under --sandbox they are imported before the process gives up the right to read them."""
RELOAD_IMPORTS: Final = ("pwb_async.server.http2_pacing", "pwb_async.server.min_rate", "pwb_async.server.paced_writer")
"""Modules that a reload imports if options have become such that they are needed; under --sandbox, too, before."""
LATE_IMPORTS_DELAY: Final = 1.0
"""Seconds after the start."""


def import_late() -> None:
    """Import them, in a thread; what needs one earlier imports it itself."""
    for name in LATE_IMPORTS:
        import_module(name)
