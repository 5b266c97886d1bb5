"""The event stream of live reload."""

import json
import re

from pwb_async.live_reload.events import ReloadEvents


class Client:
    """A client of the stream; it leaves when `gone` is set."""

    def __init__(self) -> None:
        self.received = b""
        self.gone = False

    def send(self, data: bytes) -> bool:
        self.received += data
        return not self.gone

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line[6:]) for line in self.received.split(b"\n") if line.startswith(b"data: ")]


def test_a_version_is_new_with_each_start_and_each_change() -> None:
    events, others = ReloadEvents(), ReloadEvents()
    first = events.version
    assert re.fullmatch(r"[0-9a-f]+-0", first)
    assert events.version == first
    assert others.version != first
    events.publish()
    assert events.version == first[:-1] + "1"


def test_changes_are_sent_with_the_version_before() -> None:
    events, client = ReloadEvents(), Client()
    events.begin()
    events.subscribe(client.send)
    assert client.received.startswith(b"retry: 500\n")
    first = events.version
    events.publish(["/a.css"])
    second = events.version
    events.publish()
    assert client.events == [
        {"version": first},
        {"version": second, "after": first, "swap": ["/a.css"]},
        {"version": events.version, "after": second},
    ]
    assert client.received.endswith(b"}\n\n")


def test_nothing_is_sent_before_changes_are_seen() -> None:
    events, client = ReloadEvents(), Client()
    events.subscribe(client.send)
    assert client.received == b""
    events.begin()
    assert client.events == [{"version": events.version}]
    events.begin()
    assert len(client.events) == 1


def test_a_page_that_was_made_before_changes_are_seen_is_not_current() -> None:
    events, client = ReloadEvents(), Client()
    before = events.version
    events.subscribe(client.send)
    events.begin()
    assert client.events == [{"version": events.version}]
    assert events.version != before


def test_a_client_that_is_gone_is_forgotten() -> None:
    events, client, other = ReloadEvents(), Client(), Client()
    events.begin()
    for each in (client, other):
        events.subscribe(each.send)
    client.gone = True
    events.ping()
    assert client.received.endswith(b"\n:\n\n")
    events.publish()
    assert len(client.events) == 1
    assert len(other.events) == 2
    late = Client()
    late.gone = True
    events.subscribe(late.send)
    events.publish()
    assert len(late.events) == 1


def test_names_cannot_add_lines() -> None:
    events, client = ReloadEvents(), Client()
    events.begin()
    events.subscribe(client.send)
    events.publish(["/a\nb\r.css", "/\udcff.css"])
    assert client.events[-1]["swap"] == ["/a\nb\r.css", "/\udcff.css"]
