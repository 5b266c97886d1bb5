"""The traced variants of a server's parts keep everything that the plain ones have."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.codings import Acceptable
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.site import Site
from pwb_async.observability.trace_events import TraceWriter
from pwb_async.observability.tracing import TracedLookup, TracedSite


def test_a_traced_lookup_has_all_fields_of_the_plain_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Site.locate

    def with_codings(self: Site, request: Request, client: str = "") -> Lookup | Response:
        located = original(self, request, client)
        assert isinstance(located, Lookup)
        return replace(located, codings=Acceptable(((b"br",),)))

    monkeypatch.setattr(Site, "locate", with_codings)
    request = RequestParser(Limits()).parse(b"GET /a/ HTTP/1.1\r\nHost: pwb\r\n")
    assert isinstance(request, Request)
    plain = Site().locate(request)
    traced = TracedSite(TraceWriter(str(tmp_path / "trace"), "a test")).locate(request)
    assert isinstance(traced, TracedLookup)
    for each in fields(Lookup):
        assert getattr(traced, each.name) == getattr(plain, each.name)
