"""The event stream of live reload (server-sent events).

Each change of the files is a new version of the site. A page has the version that it was made of, so the next event
shows whether it is current, whatever was lost before:

    data: {"version": "5f3a9c-8"}                                                the first event of each stream
    data: {"version": "5f3a9c-9", "after": "5f3a9c-8", "swap": ["/a.css"]}       style sheets and images have changed
    data: {"version": "5f3a9c-10", "after": "5f3a9c-9"}                          anything else has changed

The part of a version before the hyphen is drawn by each process, so that pages reload after a restart, too.
"""

import json
import secrets
from collections.abc import Sequence
from typing import Final

from pwb_async.core.semantics.messages import Send

_RETRY: Final = 500
"""Milliseconds after which a browser connects again when the stream has ended."""
_PING: Final = b":\n\n"
"""A comment, which shows proxies and both ends that the connection is in use."""


class ReloadEvents:
    """The events of one server, for all its sites. Only one thread may use it."""

    nonce: str
    """What a Content-Security-Policy may demand of the script, for pages that trust nothing but nonces."""

    def __init__(self) -> None:
        self.nonce = secrets.token_urlsafe(16)
        self._start = ""
        self._number = 0
        self._watching = False
        self._subscribers: list[Send] = []

    @property
    def version(self) -> str:
        """The present version of the site, in letters, digits and a hyphen."""
        self._start = self._start or secrets.token_hex(4)  # not before a worker has been forked
        return f"{self._start}-{self._number}"

    def subscribe(self, send: Send) -> None:
        """Send the version to one more client as soon as the files are watched, and then each change."""
        if not self._watching or send(self._first_event()):
            self._subscribers.append(send)

    def begin(self) -> None:
        """Note that the files are watched: from now on no change is missed. Pages that were made before reload."""
        if self._watching:
            return
        self._watching = True
        if self._start:  # there may be such pages
            self._number += 1
        self._send(self._first_event())

    def publish(self, swap: Sequence[str] = ()) -> None:
        """Send a change. swap: the paths, not percent-encoded, of all files in it, if a page can swap each of them
        without being reloaded."""
        before = self.version
        self._number += 1
        self._send(_event({"version": self.version, "after": before, **({"swap": list(swap)} if swap else {})}))

    def ping(self) -> None:
        """Send a comment; a client that is gone is found out by that."""
        self._send(_PING)

    def _first_event(self) -> bytes:
        return b"retry: %d\n" % _RETRY + _event({"version": self.version})

    def _send(self, event: bytes) -> None:
        self._subscribers = [send for send in self._subscribers if send(event)]


def _event(data: object) -> bytes:
    """An event; JSON has no line breaks."""
    return b"data: %s\n\n" % json.dumps(data).encode()
