"""The messages between a supervisor and a worker; each is one byte on the socket pair that connects the two."""

from typing import Final

READY: Final = b"R"
"""From a worker: it has given up its rights and can serve."""
FAILED: Final = b"F"
"""From a worker: it cannot serve. The rest of the message is one line that says why."""
START: Final = b"g"
"""To a worker: begin to accept connections."""
DRAIN: Final = b"r"
"""To a worker: accept no more connections; end when the last one has closed by itself."""
STOP: Final = b"s"
"""To a worker: finish the running responses within the grace period and end."""
ABORT: Final = b"e"
"""To a worker: end at once."""
REPLACE_LOG: Final = b"l"
"""To a worker: write the access log to the descriptor that comes with this message."""
