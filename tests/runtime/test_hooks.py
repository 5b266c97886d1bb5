"""Hooks that raise are contained, and one that fails for every request does not fill the error log."""

from typing import NoReturn

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.cors import Cors
from pwb_async.core.site.site import Site
from pwb_async.observability.exchange import Exchange, make_exchange
from pwb_async.runtime.hooks import AccessCheck, both, contain


def fail(*arguments: object) -> NoReturn:
    raise RuntimeError(f"called with {len(arguments)}")


@pytest.fixture
def request_of_a() -> Request:
    request = RequestParser(Limits()).parse(b"GET /a HTTP/1.1\r\nHost: h\r\n")
    assert isinstance(request, Request)
    return request


def test_each_hook_is_logged_once_a_second(request_of_a: Request, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Exchange] = []
    observers = [contain(fail), contain(seen.append)]
    by_guard, by_resolver = AccessCheck(None, fail, Site()), AccessCheck(fail, None, Site())
    for _ in range(20):
        for observe in observers:
            observe(make_exchange("192.0.2.1", request_of_a, 200, 0, 0.0))
        for check, expected in ((by_guard, "192.0.2.1"), (by_resolver, "-")):
            client, response = check("192.0.2.1", request_of_a)
            assert response is not None
            assert (client, response.status) == (expected, 500)
    assert len(seen) == 20
    assert caplog.messages == ["an observer has failed", "the guard has failed", "the client resolver has failed"]
    assert all(record.exc_info for record in caplog.records)


def test_a_refusal_has_the_fields_that_the_site_adds(request_of_a: Request) -> None:
    refusal = Response(403, ((b"Content-Length", b"0"),))
    site = Site(added_fields=AddedFields(Cors([b"*"])))
    for _ in range(2):  # a guard may return the same response again and again
        _, response = AccessCheck(None, lambda client, request: refusal, site)("192.0.2.1", request_of_a)
        assert response is not None
        names = [name for name, _ in response.fields]
        assert names == [b"Content-Length", b"Access-Control-Allow-Origin", b"Access-Control-Expose-Headers"]


def test_the_guard_is_not_asked_about_a_client_that_is_unknown(request_of_a: Request) -> None:
    asked: list[str] = []

    def guard(client: str, request: Request) -> None:
        asked.append(client)

    check = AccessCheck(lambda peer, request: "", guard, Site())
    _, response = check("192.0.2.1", request_of_a)
    assert response is not None
    assert (response.status, asked) == (500, [])


def test_an_invalid_request_keeps_its_own_response() -> None:
    assert AccessCheck(fail, fail, Site())("192.0.2.1", BadRequest(400, "")) == ("-", None)


REFUSAL = Response(403, ())


def test_a_check_that_raises_is_contained(request_of_a: Request, caplog: pytest.LogCaptureFixture) -> None:
    for run, status in ((fail, 500), (lambda: None, None), (lambda: REFUSAL, 403)):
        _, check = AccessCheck(None, lambda client, request, run=run: Check(run), Site())("192.0.2.1", request_of_a)
        assert isinstance(check, Check)
        response = check.run()
        assert (response and response.status) == status
    assert caplog.messages == ["a check of the guard has failed"]


def test_both_of_two_guards(request_of_a: Request) -> None:
    """The second is asked if the first refuses nothing; behind a check of the first, where that may block."""
    results = (None, REFUSAL, Check(lambda: None), Check(lambda: REFUSAL))
    for first in results:
        for second in results:
            guard = both(lambda client, request, first=first: first, lambda client, request, second=second: second)
            assert guard is not None
            verdict = guard("192.0.2.1", request_of_a)
            expected = outcome(first) is None and outcome(second) is None
            assert isinstance(verdict, Check) or first is REFUSAL or not isinstance(first, Check)
            assert (outcome(verdict) is None) is expected
    assert both(None, None) is None
    assert both(fail, None) is fail
    assert both(None, fail) is fail


def outcome(verdict: Response | Check | None) -> Response | None:
    return verdict.run() if isinstance(verdict, Check) else verdict
