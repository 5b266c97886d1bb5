"""The parts of what a terminal shows: words, widths, amounts, colours, the QR code."""

import io
import os
import string
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import segno

from pwb_async.core.site.lookup import NO_REQUEST
from pwb_async.observability.exchange import make_exchange
from pwb_async.output.amounts import duration_text, size_text
from pwb_async.output.colours import Style, can_move, has_colours, is_terminal
from pwb_async.output.width import pad, shorten, width
from pwb_async.terminal.qr_code import qr_code
from pwb_async.terminal.status import status
from pwb_async.terminal.traffic import Traffic
from pwb_async.terminal.words import WORDS


def test_each_language_has_the_same_words_with_the_same_gaps() -> None:
    english = WORDS["en"]
    for words in WORDS.values():
        assert words.keys() == english.keys()
        for name, text in words.items():
            gaps = [[field for _, field, _, _ in string.Formatter().parse(each)] for each in (text, english[name])]
            assert set(gaps[0]) == set(gaps[1]), name


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("中文", 4), ("e\u0301", 1), ("a\u200bb", 2), ("\uff46", 2)]
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(pad(text, 10)) == 10


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcdefgh", 6, "...fgh"),
        ("中文字符", 7, "...字符"),
        ("中文字符", 6, "...符"),
        ("中文", 4, "中文"),
    ],
)
def test_shorten(text: str, columns: int, shown: str) -> None:
    assert shorten(text, columns) == shown
    assert width(shown) <= columns


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (999.9 * 1024, "999.9 KiB"),
        (1000 * 1024, "1.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (5 << 40, "5.0 TiB"),
        (5 << 50, "5120.0 TiB"),
    ],
)
def test_size(count: float, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.001, "1 ms"), (0.999, "999 ms"), (0.9999, "1.0 s"), (12.34, "12.3 s"), (99.96, "100 s"), (3600, "3600 s")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
    assert len(text) <= 6


@pytest.fixture
def terminal() -> Iterator[io.TextIOWrapper]:
    ours, theirs = os.openpty()
    with open(theirs, "w") as stream:
        yield stream
    os.close(ours)


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "xterm", "FORCE_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({}, False),
    ],
    ids=str,
)
def test_colours_on_a_terminal(environ: dict[str, str], colours: bool, terminal: io.TextIOWrapper) -> None:
    assert is_terminal(terminal)
    assert has_colours(terminal, environ) == colours
    assert can_move(terminal, environ) == (environ.get("TERM") == "xterm")


@pytest.mark.parametrize("stream", [None, io.StringIO()], ids=["closed", "no terminal"])
def test_colours_elsewhere(stream: io.StringIO | None) -> None:
    assert not has_colours(stream, {"TERM": "xterm"})
    assert has_colours(stream, {"FORCE_COLOR": "1"})
    assert not can_move(stream, {"TERM": "xterm"})
    assert not is_terminal(stream)


def test_style() -> None:
    assert Style(True)("a", "\x1b[1m", "\x1b[32m") == "\x1b[1m\x1b[32ma\x1b[0m"
    assert Style(True)("a") == Style(False)("a", "\x1b[1m") == "a"


@pytest.mark.parametrize("colours", [True, False])
def test_a_qr_code_has_the_modules_of_the_code(colours: bool) -> None:
    text = "http://192.168.1.23:8888/"
    halves = {"\u2588": "11", "\u2580": "10", "\u2584": "01", " ": "00"}
    rows: list[str] = []
    for line in qr_code(text, colours=colours):
        drawn = [halves[character] for character in line.removeprefix("\x1b[38;5;16;48;5;231m").removesuffix("\x1b[0m")]
        rows += ("".join(pair[0] for pair in drawn), "".join(pair[1] for pair in drawn))
    if not colours:
        rows = [row.translate(str.maketrans("01", "10")) for row in rows]
    expected = ["".join(map(str, map(int, row))) for row in segno.make(text, error="l").matrix_iter(border=2)]
    assert rows[: len(expected)] == expected
    assert set("".join(rows[len(expected) :])) <= {"0"}


def test_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("pwb_async.terminal.traffic.time", SimpleNamespace(monotonic=lambda: now, time=lambda: now))
    traffic = Traffic()
    for client in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        traffic.record(make_exchange(client, NO_REQUEST, 200, 10, now))
    assert (traffic.requests, traffic.sent, traffic.clients()) == (3, 30, 2)
    now += 0.1
    assert traffic.rates() == (0.0, 0.0), "too early"
    now += 0.9
    assert traffic.rates() == (3.0, 30.0)
    now += 61
    assert traffic.clients() == 0


def test_the_keys_are_in_the_chinese_status_line_of_a_usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("pwb_async.terminal.traffic.time", SimpleNamespace(monotonic=lambda: now, time=lambda: now))
    traffic = Traffic()
    for _ in range(10_000):
        traffic.record(make_exchange("192.0.2.1", NO_REQUEST, 200, 1000, now))
    now += 1
    line = status(traffic, WORDS["zh"], keys=True, columns=79)
    assert line.endswith(WORDS["zh"]["key hints"])
    assert width(line) < 80
