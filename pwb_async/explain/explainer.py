"""Runs a request through the parts of a server, step by step, and explains the response.

The parts are those of a ServerContext, so the response is the one that a server would send. Its disks and sites record
what they do (recording.py), and the explanation is made of that record and of the values between the steps: the lookup,
the finding, the response.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from pwb_async.config.options import Options
from pwb_async.core.events import BadRequest
from pwb_async.core.http1.connection import Connection
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.findings import Finding, Refused
from pwb_async.core.site.lookup import Lookup
from pwb_async.runtime.opening import open_context
from pwb_async.runtime.sites import SiteParts

from .access_step import found_step, guard_step
from .coding_step import coding_step
from .explanation import Explanation, Step
from .file_steps import candidates_step, error_page_step
from .limit_step import limit_step
from .origins import explain_fields
from .outcome import Outcome
from .recording import Record, RecordingDisk, RecordingSite
from .site_steps import condition_step, response_step, rule_step, site_step


class Explained(NamedTuple):
    """A request and the explanation of its response."""

    event: Request | BadRequest
    explanation: Explanation


class Explainer:
    """What explains the responses of one configuration.

    Args:
        program: The program in messages, before the name of a directory.
        options: The options; what they are about sockets does not count. Raises StartupError, ConfigError.
    """

    def __init__(self, program: str, options: Options) -> None:
        self._record = Record()
        parts = SiteParts(partial(RecordingSite, self._record), partial(RecordingDisk, self._record))
        options = replace(options, live_reload=False)  # whose script is not part of what the options make of a site
        self._context = open_context(program, options, parts=parts, sockets=[])
        self._check = self._context._replace(limits=None).access_check  # as no explanation counts

    def explain(self, wire: bytes, peer: str, now: int) -> Iterator[Explained]:
        """Yield each request on a connection, with the explanation of its response.

        wire: all that the client sends. peer: its address. now: seconds since the epoch.
        """
        connection = Connection(self._context.parser, self._context.server_field)
        connection.receive_data(wire)
        while isinstance(event := connection.next_event(), Request | BadRequest):
            self._record.clear()
            outcome = self._outcome(*self._respond(peer, event))
            parts = connection.respond(event, outcome.response, now)
            head = b"".join(part for part in parts if isinstance(part, bytes))[: connection.head_length]
            yield Explained(event, self._explanation(outcome, head))
            outcome.response.close()

    def _respond(
        self, peer: str, event: Request | BadRequest
    ) -> tuple[Request | BadRequest, str, Response, Lookup | Response | None, Finding | None]:
        """What a server does with a request, in the same order: the values of an Outcome."""
        site = self._context.site
        client, refusal = (peer, None) if self._check is None else self._check(peer, event)
        if isinstance(event, BadRequest):
            return event, client, site.refuse(event), None, None
        if isinstance(refusal, Check):
            refusal = refusal.run()
        if refusal is not None:
            return event, client, refusal, None, None
        located = site.locate(event, client)
        if isinstance(located, Response):
            return event, client, located, located, None
        finding = self._context.storage.find(located)
        return event, client, site.reply(located, finding), located, finding

    def _outcome(
        self,
        event: Request | BadRequest,
        client: str,
        response: Response,
        located: Lookup | Response | None,
        finding: Finding | None,
    ) -> Outcome:
        finished = self._record.finished[-1]
        number = self._record.sites.index(finished.site)
        options = self._context.options
        return Outcome(
            event=event,
            client=client,
            response=response,
            site=finished.site,
            number=number,
            options=options.of_all_sites[number],
            sites=options.sites,
            unfinished=finished.response,
            is_file=finished.is_file,
            opened=tuple(self._record.opened),
            located=located,
            finding=finding,
        )

    def _explanation(self, outcome: Outcome, head: bytes) -> Explanation:
        event = outcome.event
        line = event.request_line if isinstance(event, Request) else event.first_line
        status_line, _, _ = head.decode("latin-1").partition("\r\n")
        fields, removed = explain_fields(outcome, head)
        steps = [*self._steps(outcome, event)] if isinstance(event, Request) else [_invalid(event)]
        steps += [Step("caching", f"{each.value}: {each.origin}") for each in fields if each.name == "Cache-Control"]
        return Explanation(line.decode("latin-1"), outcome.client, tuple(steps), status_line, fields, removed, head)

    def _steps(self, outcome: Outcome, request: Request) -> Iterator[Step]:
        """Yield the steps in the order in which they are made, up to the one that decides."""
        yield site_step(outcome, request)
        if (limits := self._context.limits) is not None:
            yield limit_step(limits.of(request), outcome.client)
        access = self._context.sites.access_of(outcome.number)
        yield guard_step(outcome, access)
        if outcome.located is None:
            return
        lookup, found = outcome.lookup, outcome.file
        if outcome.options.maintenance:
            yield Step("maintenance", "every response is 503 (--maintenance)")
        elif isinstance(outcome.located, Response) and (step := response_step(outcome, request, outcome.located)):
            yield step
            return
        else:
            yield rule_step(outcome, request)
        if lookup is None:
            return
        yield candidates_step(outcome, lookup)
        if isinstance(outcome.finding, Refused) and access is not None:
            yield found_step(outcome, lookup, access)
        is_error = outcome.unfinished.status >= 400 and outcome.unfinished.status not in (412, 416)
        if is_error and not outcome.options.maintenance:
            yield error_page_step(outcome, lookup)
        if found is not None and not outcome.options.maintenance:
            yield coding_step(outcome, lookup, found)
            if step := condition_step(outcome, request, found):
                yield step


def _invalid(bad: BadRequest) -> Step:
    return Step("request", f"it is refused with {bad.status}: {bad.detail}")
