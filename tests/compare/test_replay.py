"""Recordings: what is read from logs and HAR files, what is left out and told, and a replay on a real design."""

import json
from pathlib import Path

import pytest

from pwb_legacy.compare.measure.replay import Recording
from pwb_legacy.compare.measure.replay import read as read_recording
from pwb_legacy.compare.measure.servers import CannotError

from .test_compare import read, told

LINE = '192.0.2.1 - - [{time} +0000] "{request}" 200 5 "-" "{agent}"\n'


def line(time: str, request: str, agent: str = "Mozilla/5.0") -> str:
    return LINE.format(time=time, request=request, agent=agent)


def recording(path: Path, text: str) -> Recording:
    path.write_text(text)
    return read_recording(path)


def test_the_requests_of_a_second_are_spread_over_it(tmp_path: Path) -> None:
    found = recording(
        tmp_path / "log",
        line("10/Oct/2026:13:55:37", "GET /c HTTP/1.1")
        + line("10/Oct/2026:13:55:36", "GET /a HTTP/1.1")
        + line("10/Oct/2026:13:55:36", "HEAD /b HTTP/1.0", "-"),
    )
    assert [(moment, ask.method, ask.target, ask.fields) for moment, ask in found.moments] == [
        (0.0, b"GET", b"/a", b"User-Agent: Mozilla/5.0\r\n"),
        (0.5, b"HEAD", b"/b", b""),
        (1.0, b"GET", b"/c", b"User-Agent: Mozilla/5.0\r\n"),
    ]
    assert found.missing == ""
    assert [moment for moment, _ in found.faster(10, 0.09)] == [0.0, 0.05]


def test_the_time_zone_counts(tmp_path: Path) -> None:
    west = line("10/Oct/2026:13:55:36", "GET /a HTTP/1.1").replace("+0000", "-0100")
    found = recording(tmp_path / "log", line("10/Oct/2026:13:55:36", "GET /b HTTP/1.1") + west)
    assert found.seconds == 3600


def test_what_is_left_out_is_counted_and_named(tmp_path: Path) -> None:
    found = recording(
        tmp_path / "log",
        "nonsense\n\n"
        + line("10/Oct/2026:13:55:36", "GET /a HTTP/1.1")
        + line("10/Oct/2026:13:55:36", "POST /a HTTP/1.1")
        + line("99/Oct/2026:13:55:36", "GET /a HTTP/1.1")
        + line("10/Oct/2026:13:55:36", "\\x16\\x03")
        + line("10/Oct/2026:13:55:36", "GET http://h/ HTTP/1.1"),
    )
    assert len(found.moments) == 1
    assert found.missing == (
        "2 not in the combined format (number 1 first), 1 with the method POST (number 4), "
        "1 with no valid time (number 5), 1 with no valid request line (number 6), "
        "1 with a target that is not a path (number 7)"
    )


def har(*entries: object) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def entry(time: str, url: str, method: str = "GET", **headers: str) -> dict[str, object]:
    fields = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    return {"startedDateTime": time, "request": {"method": method, "url": url, "headers": fields}}


def test_a_har_file_has_moments_targets_and_fields(tmp_path: Path) -> None:
    found = recording(
        tmp_path / "a.har",
        har(
            entry("2026-10-10T13:55:36.000Z", "https://a.example/", Accept="*/*", Cookie="secret", Host="a.example"),
            entry("2026-10-10T13:55:36.250Z", "https://a.example/x.css?v=1", Range="bytes=0-9"),
            entry("2026-10-10T13:55:36.300Z", "https://other.example/ad"),
            entry("2026-10-10T13:55:36.400Z", "https://a.example/form", "POST"),
        ),
    )
    assert [(round(moment, 3), ask.target, ask.fields) for moment, ask in found.moments] == [
        (0.0, b"/", b"Accept: */*\r\n"),
        (0.25, b"/x.css?v=1", b"Range: bytes=0-9\r\n"),
    ]
    assert found.missing == "1 of another host than a.example (number 3), 1 with the method POST (number 4)"


SOUND = entry("2026-10-10T13:55:36Z", "https://a.example/")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        *((bad, "without a request") for bad in (1, None, "text", [], {}, {"request": 1}, {"request": {"url": 5}})),
        (SOUND | {"request": {"url": "https://a.example/"}}, "with no valid method"),
        (SOUND | {"request": {"url": "https://a.example/", "method": 7}}, "with no valid method"),
        (entry("2026-10-10T13:55:36Z", "https://a.example/", "GET\nPUT"), "with no valid method"),
        (entry("2026-10-10T13:55:36Z", "http://[x/"), "with an invalid URL"),
        (entry("2026-10-10T13:55:36Z", "http://a\x1b[2J/"), "with an invalid URL"),
        *((SOUND | {"startedDateTime": time}, "with no valid time") for time in (5, None, "0001-01-01")),
        *(
            (
                SOUND | {"request": {"method": "GET", "url": "https://a.example/", "headers": headers}},
                "with an invalid header field",
            )
            for headers in (1, None, "text", [1], [{}], [{"name": 1, "value": "x"}], [{"name": "Range", "value": 1}])
        ),
    ],
)
def test_one_bad_entry_is_left_out_and_told(tmp_path: Path, bad: object, reason: str) -> None:
    found = recording(tmp_path / "a.har", har(bad, SOUND))
    assert [ask.target for _, ask in found.moments] == [b"/"]
    assert found.missing.startswith(f"1 {reason}")
    assert found.missing.endswith("(number 1)")
    assert found.missing.isprintable()


@pytest.mark.parametrize("text", ["{}", '{"log": 1}', '{"log": []}', '{"log": {}}', '{"log": {"entries": {}}}'])
def test_a_har_file_without_entries_is_told_as_such(tmp_path: Path, text: str) -> None:
    with pytest.raises(CannotError, match=r"not a HAR file: it has no log\.entries$"):
        recording(tmp_path / "a.har", text)


DEEP = '{"log": ' + "[" * 200_000


@pytest.mark.parametrize("text", ["", "nonsense\n", "{", '{"log": {"entries": []}}', har({}), DEEP], ids=range(6))
def test_nothing_to_replay_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CannotError) as error:
        recording(tmp_path / "log", text)
    assert str(error.value).startswith(str(tmp_path))
    assert "\n" not in str(error.value)


def test_a_log_is_replayed_on_a_design(tmp_path: Path) -> None:
    site, log = tmp_path / "site", tmp_path / "access.log"
    site.mkdir()
    (site / "a.txt").write_text("a text")
    log.write_text(
        "".join(line(f"10/Oct/2026:13:55:{second}", "GET /a.txt HTTP/1.1") for second in range(10, 20))
        + line("10/Oct/2026:13:55:19", "GET /missing HTTP/1.1")
        + line("10/Oct/2026:13:59:00", "GET /late HTTP/1.1")
        + "nonsense\n"
    )
    words = ("--modes", "epoll", "--speed", "50", "--duration", "1", "--out", tmp_path)
    status, _, errors = told("compare", site, "--replay", log, *words)
    assert status == 0
    assert errors == f"{log}: left out: 1 not in the combined format (number 13)\n"
    (measurement,) = read(tmp_path).measurements
    assert (measurement.scenario, measurement.requests, measurement.failures) == ("replay", 11, 0)


def test_what_would_be_without_effect_is_wrong_use(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line("10/Oct/2026:13:55:36", "GET / HTTP/1.1"))
    both = told("compare", tmp_path, "--replay", log, "--scenarios", "kept")
    assert both == (2, "", "pwb-legacy: --replay and --scenarios: a recording is a scenario of its own; choose one\n")
    assert told("compare", "--speed", "5") == (2, "", "pwb-legacy: --speed is that of a recording: it needs --replay\n")


def test_a_replay_without_a_folder_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line("10/Oct/2026:13:55:36", "GET / HTTP/1.1"))
    status, output, errors = told("compare", "--replay", log)
    assert (status, output, len(errors.splitlines())) == (2, "", 1)
