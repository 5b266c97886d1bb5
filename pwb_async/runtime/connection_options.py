"""What the options describe of connections: how requests are parsed, the limits on them, and how long they may take."""

from pwb_async.config.options import Options
from pwb_async.core.deadlines import Timeouts
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.site.responder import Responder


def find_parser(limits: Limits, site: Responder, old: RequestParser | None) -> RequestParser:
    """A parser; the old one if it would be the same, so that all connections share its cache of request heads."""
    wanted = limits, site.variant, site.target_key
    return old if old is not None and (old.limits, old.variant, old.target_key) == wanted else RequestParser(*wanted)


def timeouts(options: Options) -> Timeouts:
    """How long a client may take."""
    return Timeouts(
        options.header_timeout,
        options.idle_timeout,
        options.send_timeout,
        options.linger_idle,
        options.linger_timeout,
    )


def limits(options: Options) -> Limits:
    """How much a client may ask for."""
    return Limits(
        request_line=options.max_request_line,
        field=options.max_field,
        fields=options.max_fields,
        head=options.max_head,
        content=options.max_content,
        requests=options.requests_per_connection,
    )
