"""What HTTP/2 connections find for requests that need a thread: whether access is allowed, and the file."""

import logging
from asyncio import Future
from collections.abc import Callable
from functools import partial
from typing import Final, cast

from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.responder import Responder

from .http2_shared import HTTP2Shared
from .http2_transfer import Phase, Transfer
from .http2_transfers import Transfers

logger: Final = logging.getLogger("pwb")
_MAX_LOOKUPS: Final = 32
"""Lookups of one connection at a time."""


class Lookups:
    """The checks and lookups of one connection, whose responses the transfers begin."""

    def __init__(self, transfers: Transfers, shared: HTTP2Shared) -> None:
        self._transfers = transfers
        self._state = transfers.state
        self._shared = shared
        self._count = 0  # lookups in threads

    def check(self, transfer: Transfer, check: Check) -> None:
        """Check the access of a request in a thread."""
        self._transfers.work(transfer, Phase.LOOKED_UP)
        checked = self._state.run_check(cast(Request, transfer.request), check)
        checked.add_done_callback(partial(self._contain, self._respond_checked, transfer))

    def _contain(self, respond: Callable[..., None], *arguments: object) -> None:
        """Respond; no exception may leave this, as the loop would log it and keep the connection open."""
        owner = self._transfers.owner
        try:
            respond(*arguments)
            if not owner.writer.closed:
                owner.schedule()
        except Exception:
            logger.exception("a fault of this server")
            owner.abort()

    def _respond_checked(self, transfer: Transfer, checked: Future[Response | None]) -> None:
        if self._transfers.end_work(transfer):
            refusal = checked.result()
            if refusal is None:
                self.find(transfer)
            else:
                self._transfers.begin(transfer, refusal)

    def resume(self) -> bool:
        """Find what transfers have waited for, the most urgent first; return whether there was any."""
        resumed = False
        while self._count < _MAX_LOOKUPS and (transfer := self._transfers.take_waiting()) is not None:
            self.find(transfer)
            resumed = True
        return resumed

    def find(self, transfer: Transfer) -> None:
        """Make the response to a request that has waited."""
        state = self._state
        site, request = state.context.site, state.current(cast(Request, transfer.request), transfer.cache)
        response = state.cache and state.cache.get(request, state.clock())
        located = response or site.locate(request, transfer.client)
        if isinstance(located, Response):
            self._transfers.begin(transfer, located)
        else:
            self.look_up(transfer, located, site)

    def look_up(self, transfer: Transfer, lookup: Lookup, site: Responder) -> None:
        """Find a file in a thread, now or when there are fewer lookups."""
        if self._count >= _MAX_LOOKUPS:
            self._transfers.wait(transfer)
            return
        self._count += 1
        self._transfers.work(transfer, Phase.LOOKED_UP)
        transfer.looked_up = True
        # The whole response is made with one configuration, even if a reload replaces it meanwhile.
        found = self._state.find(lookup)
        found.add_done_callback(partial(self._contain, self._respond_found, transfer, lookup, site))

    def _respond_found(self, transfer: Transfer, lookup: Lookup, site: Responder, found: Future[Finding]) -> None:
        """Respond with what the disk has found."""
        self._count -= 1
        wanted = self._transfers.end_work(transfer)
        finding = found.result()
        self._state.storage_log.report(lookup, finding)
        if wanted:
            self._transfers.begin(transfer, self._reply(lookup, finding, site))
        elif isinstance(finding, OpenFile) and finding.file_to_close is not None:
            finding.file_to_close.close()

    def _reply(self, lookup: Lookup, finding: Finding, site: Responder) -> Response:
        """The response that is made of a finding; a prepared one if the finding has been used before.

        A lookup is shared, and the streams of many clients ask for the same file at the same time.
        """
        state, shared = self._state, self._shared
        if isinstance(finding, OpenFile) and finding.content is not None and lookup.cacheable:
            if finding is shared.last_found and site is state.context.site and state.cache is not None:
                prepared = state.cache.get(lookup.request, state.clock())
                if prepared is not None:
                    return prepared
            shared.last_found = finding
        return site.reply(lookup, finding)
