"""Why a file cannot be served: for each request, or once a second if all requests have the reason in common."""

import pytest

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.findings import DIRECTORY, FORBIDDEN, NOT_FOUND, Finding, StorageError, Unavailable
from pwb_async.core.site.lookup import Lookup
from pwb_async.observability.storage_log import StorageLog
from tests.conformance.server import eventually


def lookup() -> Lookup:
    request = RequestParser(Limits()).parse(b"GET /a HTTP/1.1\r\nHost: h\r\n")
    assert isinstance(request, Request)
    return Lookup(request, b"a", ())


@pytest.mark.parametrize("finding", [NOT_FOUND, FORBIDDEN, DIRECTORY])
def test_what_is_no_failure_is_not_logged(finding: Finding, caplog: pytest.LogCaptureFixture) -> None:
    StorageLog().report(lookup(), finding)
    assert not caplog.messages


def test_each_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = StorageLog()
    for _ in range(3):
        log.report(lookup(), StorageError("EIO"))
    assert caplog.messages == ["'/a': EIO"] * 3


async def test_a_lack_is_logged_once_a_second_e2(caplog: pytest.LogCaptureFixture) -> None:
    log = StorageLog()
    for _ in range(100):
        log.report(lookup(), Unavailable("EMFILE"))
    assert caplog.messages == ["'/a': unavailable: EMFILE"]

    def again() -> bool:
        log.report(lookup(), Unavailable("ENOMEM"))
        return len(caplog.messages) == 2

    await eventually(again, 3)
    assert caplog.messages[1] == "'/a': unavailable: ENOMEM"
