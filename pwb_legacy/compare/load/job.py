"""A job for the load generator's own process, as JSON: which load, on which server, with what options.

    {"kind": "closed", "address": ["127.0.0.1", 8888], "asks": [{"target": "/"}], "connections": 64, "seconds": 2}

The other names are the parameters of the function or the hostile clients of that kind. An ask has "target", and if need
be "fields", "method" and "status"; for "scheduled" the asks are "moments", each [seconds, ask].
"""

import inspect
import math
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

from . import hostile_clients
from .arrivals import burst, open_loop, scheduled
from .closed_loop import closed
from .messages import Ask
from .wrk import wrk

LOADS: Final[dict[str, Callable[..., Any]]] = {
    "closed": closed,
    "open_loop": open_loop,
    "scheduled": scheduled,
    "burst": burst,
    "wrk": wrk,
}
"""Kinds that measure until they are done; all but wrk are coroutine functions and take a `stop`."""
HOSTILE: Final[dict[str, Callable[..., Any]]] = {
    "idle": hostile_clients.idle,
    "slow_heads": hostile_clients.slow_heads,
    "slow_readers": hostile_clients.slow_readers,
    "vanishing": hostile_clients.vanishing,
}
"""Kinds that hold until a signal."""
_COUNTS: Final = {"connections", "n", "queue", "bytes_per_second"}
_SWITCHES: Final = {"keep_alive", "poisson"}
_TIMES: Final = {"seconds", "rate", "timeout", "every", "run_up"}


def pack(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """A job, ready for JSON."""
    plain: dict[str, Any] = {"kind": kind} | options
    if "ask" in plain:
        plain["ask"] = _pack_ask(plain["ask"])
    if "asks" in plain:
        plain["asks"] = [_pack_ask(ask) for ask in plain["asks"]]
    if "moments" in plain:
        plain["moments"] = [[moment, _pack_ask(ask)] for moment, ask in plain["moments"]]
    return plain


def unpack(job: Any) -> tuple[str, dict[str, Any]]:
    """The kind and the arguments. Raises ValueError, in words, for whatever is wrong with it."""
    kind = job.get("kind") if isinstance(job, dict) else None
    if not isinstance(kind, str) or kind not in LOADS | HOSTILE:
        raise ValueError(f"a job is an object with a kind: one of {', '.join(LOADS | HOSTILE)}")
    options = {name: _option(name, value) for name, value in job.items() if name != "kind"}
    function = (LOADS | HOSTILE)[kind]
    try:
        inspect.signature(function).bind(**options)
    except TypeError as error:
        raise ValueError(f"{kind}: {error}") from None
    return kind, options


def _option(name: str, value: Any) -> Any:
    if isinstance(value, bool) and name not in _SWITCHES:  # a bool is an int, too
        raise ValueError(f"{name} cannot be {value!r}")
    match name, value:
        case "address", [_, bool()]:
            pass
        case "address", [str(host), int(port)] if 0 < port < 65536:
            return ip_address(host).compressed, port
        case "ask", ask:
            return _ask(ask)
        case "asks", [_, *_]:
            return [_ask(ask) for ask in value]
        case "moments", [_, *_] if all(isinstance(each, list) and len(each) == 2 for each in value):
            return [(_option("moment", moment), _ask(ask)) for moment, ask in value]
        case "seed", int():
            return value
        case _, bool():
            return value
        case "moment", int() | float() if 0 <= value < math.inf:
            return value
        case _, int() if name in _COUNTS and value > 0:
            return value
        case _, int() | float() if name in _TIMES and 0 < value < math.inf:
            return value
    raise ValueError(f"{name} cannot be {value!r}"[:200])


def _ask(plain: Any) -> Ask:
    match {"fields": "", "method": "GET", "status": 200} | plain if isinstance(plain, dict) else None:
        case {"target": str(target), "fields": str(fields), "method": str(method), "status": int(status), **more} if (
            not more and not isinstance(status, bool)
        ):
            try:
                return Ask(target.encode("latin-1"), fields.encode("latin-1"), method.encode("latin-1"), status)
            except UnicodeEncodeError:
                raise ValueError(f"an ask has characters beyond Latin-1: {plain!r}"[:200]) from None
    raise ValueError(f"no ask: {plain!r}"[:200])


def _pack_ask(ask: Ask) -> dict[str, Any]:
    plain: dict[str, Any] = {"target": ask.target.decode("latin-1"), "status": ask.status}
    return plain | {"fields": ask.fields.decode("latin-1"), "method": ask.method.decode("latin-1")}
