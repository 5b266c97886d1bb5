"""The options about requests and bytes a second, a part of those that options.py has."""

from dataclasses import dataclass

from pwb_async.core.site.limit_rules import RequestRate

from .declarations import Topic, option
from .option_types import COUNT, NETWORK, SWITCH
from .rate_types import IPV6_PREFIX, REQUEST_RATE, SEND_RATE


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # only Options is made
class RateOptions:
    """The options about requests and bytes a second. All but limit_ipv6_prefix may be set by a rule of [[limits]]."""

    max_request_rate: RequestRate | None = option(  # noqa: RUF009
        Topic.LIMITS, None, REQUEST_RATE, "Requests of one client, such as 20/s or 600/m; beyond that, 429."
    )
    request_burst: int | None = option(
        Topic.LIMITS,
        None,
        COUNT,
        "Requests that a client may send at once (if not given: the number in --max-request-rate).",
        needs="max_request_rate",
    )
    max_send_rate: int = option(
        Topic.LIMITS, 0, SEND_RATE, "Bytes a second that one connection is sent, at most; 0: any.", program="pwb"
    )
    max_total_send_rate: int = option(
        Topic.LIMITS,
        0,
        SEND_RATE,
        "Bytes a second that all connections of all workers are sent, at most; 0: any.",
        program="pwb",
    )
    limit_exempt: tuple[str, ...] = option(
        Topic.LIMITS, (), NETWORK, "Network to whose clients no rate applies, such as 10.0.0.0/8; repeatable."
    )
    limit_dry_run: bool = option(
        Topic.LIMITS, False, SWITCH, "Count and log requests beyond --max-request-rate, but refuse none."
    )
    limit_ipv6_prefix: int = option(
        Topic.LIMITS, 64, IPV6_PREFIX, "Bits of an IPv6 address that are one client for --max-request-rate."
    )
