"""The SSL contexts of a server, chosen by the name that a client asks for (SNI, RFC 6066 3).

The contexts are made once and never change: a reload makes others, all or none, and connections keep those that they
began with. Processes that are forked share the keys of session tickets, which each context makes at random; so a client
resumes its session with any worker, and after a reload with none.
"""

import ssl
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .certificate import wildcard
from .certified_key import CertifiedKey
from .profile import new_context


class TLSContexts:
    """SSL contexts by host name. A name that no certificate has gets the context of the first certificate."""

    keys: tuple[CertifiedKey, ...]
    """The certificates that they are made of."""

    def __init__(
        self, keys: Sequence[CertifiedKey], alpn: Sequence[str] = ("http/1.1",), client_ca: str | None = None
    ) -> None:
        """keys: at least one. alpn, client_ca: see new_context(). Raises CertificateError.

        The authorities for clients are the same for all names, because the ticket of a session at one name lets its
        client in at the others (CVE-2025-23419).
        """
        self.keys = tuple(keys)
        made: dict[tuple[CertifiedKey, ...], ssl.SSLContext] = {}

        def context_of(chosen: tuple[CertifiedKey, ...]) -> ssl.SSLContext:
            if chosen not in made:
                made[chosen] = context = new_context(alpn, client_ca)
                for key in reversed(chosen):  # of several keys of one type OpenSSL keeps the last one
                    key.load_into(context)
            return made[chosen]

        self._by_name: dict[str, ssl.SSLContext] = {}
        for name in (name for key in keys for name in key.certificate.names):
            covering = tuple(key for key in keys if key.certificate.covers(name))
            self._by_name[name] = context_of(covering)
        names = keys[0].certificate.names
        self._default = self._by_name[names[0]] if names else context_of((keys[0],))
        if len(made) > 1:
            # A program that has the process to itself should call ignore_garbled_names(), too.
            self._default.sni_callback = self._choose

    def context(self) -> ssl.SSLContext:
        """The context for new connections."""
        return self._default

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """Give a connection the context of the name that the client asks for; called by OpenSSL."""
        if name is not None:
            name = name.lower()
            chosen = self._by_name.get(name) or self._by_name.get(wildcard(name), self._default)
            if chosen is not context:
                connection.context = chosen


def ignore_garbled_names() -> None:
    """Keep Python from printing a traceback whenever a client asks for a name that is not ASCII.

    The ssl module calls sys.unraisablehook then, with the name; OpenSSL ends the handshake with an alert.
    """
    if not isinstance(sys.unraisablehook, _GarbledNamesHook):
        sys.unraisablehook = _GarbledNamesHook(sys.unraisablehook)


class _GarbledNamesHook:
    """A sys.unraisablehook that leaves out such names, and passes everything else on to the one before it.

    The ssl module decodes them in a handshake, in no frame of its own.
    """

    def __init__(self, other: Callable[[Any], object]) -> None:
        self._other = other

    def __call__(self, error: "sys.UnraisableHookArgs") -> None:
        trace = error.exc_traceback
        in_handshake = trace is not None and trace.tb_frame.f_code is ssl.SSLObject.do_handshake.__code__
        if not (error.exc_type is UnicodeDecodeError and in_handshake):
            self._other(error)
