"""Runs a program of PWB with a guard, a client resolver and an observer in its context, which no option sets.

    python hooked.py FILE PYTHON -m MODULE ARGUMENTS

The observer appends a line for each exchange to FILE. A request with the field X-Fail makes the hook that it names raise
an exception, or the guard return something else than a response; a client that is refused because the server is full makes
all of them raise.
"""

import runpy
import sys
from importlib import import_module
from typing import Any

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.observability.exchange import Exchange
from pwb_legacy import modes

REFUSED_CLIENT = "192.0.2.66"
REFUSAL = b"refused"


def guard(client: str, request: Request) -> Response | None:
    """Refuses every request of one client."""
    fail(request, "guard")
    if request.fields.get(b"x-fail") == b"nonsense":
        return "nonsense"  # type: ignore[return-value]
    if client != REFUSED_CLIENT:
        return None
    fields = ((b"Content-Type", b"text/plain"), (b"Content-Length", b"%d" % len(REFUSAL)))
    return Response(403, fields, () if request.method == b"HEAD" else (REFUSAL,))


def resolve_client(peer: str, request: Request | BadRequest) -> str:
    """The client that X-Forwarded-For names; otherwise the peer."""
    fail(request, "resolver")
    forwarded = request.fields and request.fields.get(b"x-forwarded-for")
    return forwarded.decode("latin-1") if forwarded else peer


def fail(request: Request | BadRequest, hook: str) -> None:
    """Raises an exception if the request asks for it, or if the server is full."""
    full = isinstance(request, BadRequest) and request.status == 503
    if full or (request.fields and request.fields.get(b"x-fail") == hook.encode()):
        raise RuntimeError(f"the {hook} of the test fails")


def observe_nothing(exchange: Exchange) -> None:
    """The first of two observers: if it raises, the other one is called all the same."""
    fail(exchange.request, "observer")


def hook(path: str) -> None:
    """Puts the three into every context that is opened from now on."""
    opening = import_module("pwb_async.runtime.opening")
    open_context = opening.open_context

    def observe(exchange: Exchange) -> None:
        with open(path, "a") as file:  # opened for each line, as a child process keeps no descriptor of its parent
            file.write(f"{exchange.client} {exchange.status}\n")

    def open_hooked(*arguments: Any) -> Any:
        hooks = {"guard": guard, "resolve_client": resolve_client, "observers": (observe_nothing, observe)}
        return open_context(*arguments)._replace(**hooks)

    opening.open_context = open_hooked  # type: ignore[attr-defined]


def main() -> None:
    """Runs the program."""
    path, module, arguments = sys.argv[1], sys.argv[4], sys.argv[5:]
    if module == "pwb_legacy":
        load_design = modes.load_design

        def load_first(mode: str) -> Any:  # since gevent patches modules that the context imports
            design = load_design(mode)
            hook(path)
            return design

        modes.load_design = load_first
    else:
        hook(path)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
