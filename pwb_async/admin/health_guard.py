"""The path of --health on the public address: it is answered before any rule is asked, and without a password."""

import os

from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Guard

from .health import Health
from .responses import health_response


def health_guard(path: str, health: Health) -> Guard:
    """A guard that responds to GET and HEAD of a path, with 200 if the server is ready and with 503 otherwise."""
    segments = tuple(os.fsencode(path).strip(b"/").split(b"/"))

    def respond(client: str, request: Request) -> Response | None:
        if request.target.segments != segments or request.method not in (b"GET", b"HEAD"):
            return None
        return health_response(request.method, health.why_not_ready())

    return respond
