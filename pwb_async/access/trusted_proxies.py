"""The proxies whose reports of a client's address are believed: by default no peer is."""

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.forwarded import client_of
from pwb_async.core.semantics.messages import Request
from pwb_async.core.semantics.networks import Networks


class TrustedProxies:
    """The ClientResolver of a server behind proxies.

    Args:
        networks: The networks of the proxies.
        unix: Whether the peers on a Unix socket are trusted, which have no address.
    """

    def __init__(self, networks: Networks, *, unix: bool = False) -> None:
        self._networks = networks
        self._unix = unix

    def trusts(self, peer: str) -> bool:
        """Whether a peer is a trusted proxy. "-" is one on a Unix socket."""
        return self._unix if peer == "-" else peer in self._networks

    def __call__(self, peer: str, event: Request | BadRequest) -> str:
        """The address of the client."""
        fields = event.fields
        return client_of(peer, fields, self._networks) if fields is not None and self.trusts(peer) else peer
