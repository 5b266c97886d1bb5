"""Limits by path: which one applies."""

from pwb_async.core.semantics.messages import HTTP_1_1, Request
from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.core.site.limit_rules import ANY_RATE, Limit, LimitRules, RequestRate, SendLimit
from pwb_async.core.site.lookup import NO_REQUEST
from pwb_async.core.site.patterns import parse_pattern

DEFAULT = Limit("the options")
DEEP, ALL = Limit("one"), Limit("two")
RULES = LimitRules(DEFAULT, [(parse_pattern("/a/b/*"), DEEP), (parse_pattern("/a/*"), ALL)])


def at(path: str, rules: LimitRules = RULES) -> Limit:
    target = parse_target(b"GET", f"/{path}".encode())
    assert isinstance(target, Target)
    return rules.of(Request(b"GET", target, NO_REQUEST.fields, HTTP_1_1))


def test_the_first_rule_that_matches_decides() -> None:
    for _ in range(2):
        assert at("a/b/c") is at("a/b") is DEEP
        assert at("a/c") is at("a") is ALL
        assert at("b") is at("") is at("A/b") is DEFAULT
    assert at("a", LimitRules(DEFAULT)) is DEFAULT
    assert RULES.all == (DEFAULT, DEEP, ALL)


def test_any_number_of_paths() -> None:
    for number in range(5000):
        assert at(f"a/{number}") is ALL
    assert at("a/b/0") is DEEP


def test_rates() -> None:
    assert str(RequestRate(600, 60)) == "600/m"
    assert RequestRate(600, 60).interval == RequestRate(10, 1).interval == 100_000_000
    assert not ANY_RATE
    assert SendLimit(1, b"", ())
    assert SendLimit(0, b"", ((b"", 5),))
