"""The messages between a supervisor and a worker: one byte each, on the socket pair that connects them."""

from typing import Final

READY: Final = b"R"
"""From a worker: it has dropped its privileges and can serve."""
FAILED: Final = b"F"
"""From a worker: it cannot serve. The rest of the message is the reason, in one line."""
CHANGED: Final = b"u"
"""From a worker: it has read rules or users again that have changed. The supervisor reads them, too, so that a worker
that it forks later has them even if there is a mistake in the files by then."""
START: Final = b"g"
"""To a worker: begin to accept connections."""
DRAIN: Final = b"r"
"""To a worker: stop accepting connections; end when the last one has been closed."""
STOP: Final = b"s"
"""To a worker: finish the running responses within the grace period and end."""
ABORT: Final = b"e"
"""To a worker: end at once."""
REPLACE_LOG: Final = b"l"
"""To a worker: write the access log to the descriptor that is sent with this message."""
