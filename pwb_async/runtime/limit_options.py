"""The limits on requests and on bytes a second, as the options and the rules describe them."""

from typing import TYPE_CHECKING, Any, Final

from pwb_async.config.options import ConfigError, Options
from pwb_async.core.semantics.networks import NO_NETWORKS, Networks
from pwb_async.core.site.limit_rules import ANY_RATE, Limit, LimitRule, LimitRules, RequestLimit, SendLimit

if TYPE_CHECKING:
    from pwb_async.limits.limits import Limits

_RATES: Final = ("max_request_rate", "max_send_rate", "max_total_send_rate")
_SETTINGS: Final = (*_RATES, "request_burst", "limit_exempt", "limit_dry_run")


def find_limits(program: str, options: Options, old: "Limits | None") -> "Limits | None":
    """The limits of all sites; None if there are none. old: those of the configuration before, whose counts go on.

    Raises ConfigError.
    """
    sites = options.of_all_sites
    if not any(getattr(options, name) for name in _RATES) and not any(each.rules.limits for each in sites):
        return None
    from pwb_async.limits.limits import Limits  # most servers have none

    rules = [_rules(program, options, number, each.rules.limits) for number, each in enumerate(sites)]
    hosts = tuple(site.hosts for site in options.sites)
    try:
        limits = Limits(rules, hosts, options.strict_hosts, options.limit_ipv6_prefix, old)
    except ValueError as error:
        raise ConfigError(f"[[limits]]: {error}.") from None
    if limits.send_rates is not None and options.trace is not None:
        raise ConfigError("--trace and --max-send-rate: a timeline shows connections without such a limit only.")
    return limits


def _rules(program: str, options: Options, number: int, rules: tuple[LimitRule, ...]) -> LimitRules:
    """The limits of a site. options: those of the server. number: that of the site, as each counts on its own."""
    found = []
    for rule in rules:
        name = b"%d %s" % (number, rule.pattern.text.encode())
        found.append(
            (rule.pattern, _limit(program, options, f"{rule.place} for {rule.pattern.text}", name, dict(rule.settings)))
        )
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in _RATES if getattr(options, name))
    return LimitRules(_limit(program, options, flags, b"", {}), found)


def _networks(texts: tuple[str, ...]) -> Networks:
    return Networks(texts) if texts else NO_NETWORKS


def _limit(program: str, options: Options, place: str, name: bytes, own: dict[str, Any]) -> Limit:
    """What holds for some paths. name: that of their rule. own: what it sets."""
    settings = {each: getattr(options, each) for each in _SETTINGS} | own

    def name_of(*names: str) -> bytes:
        return name if any(each in own for each in names) else b""

    rate, requests = settings["max_request_rate"], None
    if rate is not None:
        # The burst of the options is that of their own rate.
        burst = settings["request_burst"] if "request_burst" in own or "max_request_rate" not in own else None
        requests = RequestLimit(rate, burst or rate.number, name_of("max_request_rate", "request_burst"))
    sending = ANY_RATE
    if program != "pwb-legacy":  # the designs have no such limits
        totals = [
            (name_of("max_total_send_rate"), settings["max_total_send_rate"]),
            (b"", options.max_total_send_rate),
        ]
        each = settings["max_send_rate"]
        named = name_of("max_send_rate") if each else b""
        sending = SendLimit(each, named, tuple(dict.fromkeys(total for total in totals if total[1])))
    return Limit(place, requests, settings["limit_dry_run"], sending, _networks(settings["limit_exempt"]))
