"""`pwb-legacy live`: what each button does to real servers, who may press it, and that nothing is left at the end."""

import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection

import pytest

from pwb_legacy.compare.measure import probes

from .running_lesson import Lesson, folders, lesson, refuses, still_there
from .test_compare import begin, told

DESIGNS = "single,thread,process,epoll,async"


@pytest.fixture(scope="module")
def shared() -> Iterator[Lesson]:
    with lesson("--modes", DESIGNS) as playing:
        yield playing


@pytest.fixture
def playing(shared: Lesson) -> Lesson:
    """The lesson, with every button off and every design served."""
    shared.press("reset")
    shared.wait(lambda rows: all(row["rate"] > 0 and not row["lost"] for row in rows.values()))
    return shared


def keys(playing: Lesson) -> list[str]:
    return [key for key, _ in playing.state()["story"]]


def test_all_designs_are_asked_alike_and_answer(playing: Lesson) -> None:
    rows = playing.wait(lambda rows: all(row["cpu"] is not None and row["memory"] for row in rows.values()))
    assert list(rows) == DESIGNS.split(",")
    for row in rows.values():
        assert 0 < row["median"] <= row["longest"]
        assert row["processes"] >= 1
        assert row["lane"]
    assert keys(playing)[0] == "load"


def test_idle_clients_are_counted_and_cost_a_thread_or_a_process_each(playing: Lesson) -> None:
    playing.press("idle/on")
    rows = playing.wait(
        lambda rows: (
            all(row["clients"] >= 100 for name, row in rows.items() if name != "single")
            and rows["thread"]["threads"] > 100
            and rows["process"]["processes"] > 100
            and (rows["process"]["grown"] or 0) > (rows["epoll"]["grown"] or 0)
        )
    )
    assert rows["single"]["clients"] < 100, "it keeps no connection"
    assert rows["epoll"]["threads"] == 1
    assert rows["async"]["processes"] == 1
    assert {"idle", "grown", "processes", "threads", "one-request"} <= set(keys(playing))
    playing.press("idle/off")
    playing.wait(lambda rows: rows["process"]["processes"] < 50 and rows["thread"]["threads"] < 50)


def test_a_slow_disk_holds_up_the_loop_but_not_the_cache(playing: Lesson) -> None:
    playing.press("slow-disk/on")
    playing.wait(
        lambda rows: (
            all(rows[name]["median"] for name in rows)
            and rows["async"]["median"] < 20 < rows["thread"]["median"] < rows["epoll"]["median"]
            and rows["epoll"]["longest"] > 70
        )
    )
    playing.press("slow-disk/off")
    playing.wait(lambda rows: (rows["epoll"]["median"] or 99) < 20)


@pytest.mark.parametrize("trouble", ["slow-senders", "slow-readers"])
def test_slow_clients_stop_only_the_design_that_serves_one_at_a_time(playing: Lesson, trouble: str) -> None:
    playing.press(f"{trouble}/on")
    rows = playing.wait(lambda rows: rows["single"]["silent"] > 2 and rows["single"]["lost"] > 0)
    assert [name for name, row in rows.items() if row["silent"] > 2] == ["single"]
    assert "blocked" in keys(playing)
    playing.press(f"{trouble}/off")
    playing.wait(lambda rows: rows["single"]["silent"] == 0 and rows["single"]["rate"] > 0)


def test_a_killed_child_is_seen_and_replaced(playing: Lesson) -> None:
    playing.wait(lambda rows: rows["process"]["processes"] >= 5)  # a visit needs four children
    playing.press("kill")
    killed = playing.state()["killed"]["pid"]
    rows = playing.wait(lambda rows: rows["process"]["lost"] > 0)
    assert "killed" in keys(playing)
    assert not any(row["lost"] for name, row in rows.items() if name != "process")
    playing.wait(lambda rows: rows["process"]["processes"] >= 5 and rows["process"]["rate"] > 0)
    assert killed not in playing.tree()


def test_the_load_is_doubled_and_halved_within_its_bounds(playing: Lesson) -> None:
    for action, rates in (("faster", [40, 80, 160, 160]), ("slower", [80, 40, 20, 10, 5, 5])):
        for rate in rates:
            playing.press(action)
            assert playing.state()["rate"] == rate
    playing.press("reset")
    assert playing.state()["rate"] == 20


def test_a_paused_design_has_no_clients_and_the_others_go_on(playing: Lesson) -> None:
    playing.press("idle/on")
    playing.press("pause/thread")
    rows = playing.wait(lambda rows: rows["thread"]["rate"] == 0 and rows["epoll"]["clients"] >= 100)
    assert rows["thread"]["clients"] < 100
    assert "paused" in keys(playing)
    playing.press("resume/thread")
    playing.wait(lambda rows: rows["thread"]["clients"] >= 100 and rows["thread"]["rate"] > 0)


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/{token}x/kill", {}, 403),
        ("/x/kill", {}, 403),
        ("/", {}, 403),
        ("/kill", {}, 403),
        ("/{token}/kill", {"Origin": "http://127.0.0.1:1"}, 403),
        ("/{token}/kill", {"Origin": "null"}, 403),
        ("/{token}/kill", {"Host": "rebound.example"}, 403),
        ("/{token}/burn", {}, 404),
        ("/{token}/kill/on", {}, 404),
        ("/{token}/idle", {}, 404),
        ("/{token}/pause/nothing", {}, 404),
        ("/{token}/idle/on/more", {}, 404),
    ],
)
def test_a_button_needs_the_token_and_the_page(shared: Lesson, path: str, fields: dict[str, str], status: int) -> None:
    assert shared.post(path.format(token=shared.token), **fields) == status


def test_only_post_presses_a_button(shared: Lesson) -> None:
    assert shared.post(f"/{shared.token}/kill", "GET") == 405
    connection = HTTPConnection(shared.control, timeout=10)
    connection.request("POST", f"/{shared.token}/kill")  # no Origin: this is no page
    assert connection.getresponse().status == 403
    connection.close()


def test_connections_to_the_buttons_are_few(shared: Lesson) -> None:
    """More than 16 that say nothing are closed, and the buttons work again once they are gone."""
    host, _, port = shared.control.rpartition(":")
    held = [socket.create_connection((host, int(port)), 10) for _ in range(16)]
    shared.wait(lambda rows: rows)
    with socket.create_connection((host, int(port)), 10) as more, suppress(ConnectionError):
        assert more.recv(1) == b""
    for sock in held:
        sock.close()

    def works_again(_: object) -> bool:
        with suppress(ConnectionError):  # as long as the server has not seen that the others are closed
            return shared.post("/x/kill") == 403
        return False

    shared.wait(works_again)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_after_a_signal(number: signal.Signals) -> None:
    """Also where the shell has SIGINT ignored, as it does for a command with &."""
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    with begin("live", "--modes", "process,async", "--lang", "zh", before=ignored) as process:
        playing = Lesson(process)
        playing.press("idle/on")
        playing.wait(lambda rows: rows["process"]["processes"] > 50)
        tree = playing.tree()
        made = folders(tree)
        assert len(made) == 2
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert still_there(tree) == []
    assert not any(path.exists() for path in made)
    assert refuses(playing.page)
    assert refuses(playing.control)


def test_nothing_is_left_when_it_is_stopped_while_it_starts() -> None:
    with begin("live") as process:
        assert process.stderr is not None
        while "epoll" not in process.stderr.readline():
            pass
        tree = {pid: probes.birth(pid) for pid in probes.tree(process.pid)}
        made = folders(tree)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")
    assert "Traceback" not in errors
    assert len(tree) > 4
    assert still_there(tree) == []
    assert not any(path.exists() for path in made)


def test_it_ends_by_itself_and_the_page_reads_it() -> None:
    with begin("live", "--modes", "epoll", "--duration", "3s", "--lang", "en") as process:
        playing = Lesson(process)
        tree = playing.tree()
        assert playing.wait(lambda rows: playing.state()["over"])
        with suppress(ConnectionError):  # the endpoint has been closed already
            assert playing.post(f"/{playing.token}/faster") == 404
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors.splitlines()[-1] == "ended; all servers are gone"
    assert "Warning" not in errors
    assert still_there(tree) == []


def test_a_port_that_is_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said, errors = told("live", "--modes", "epoll", "--port", str(port))
    assert (status, said) == (1, "")
    assert len(errors.splitlines()) == 1
    assert f"port {port}" in errors
    assert "in use" in errors.lower()


def test_help_names_the_options() -> None:
    status, said, errors = told("live", "--help")
    assert (status, errors) == (0, "")
    for option in ("--modes", "--rate", "--duration", "--port", "--lang"):
        assert option in said


@pytest.mark.parametrize("words", [("--rate", "1000"), ("--modes", "nginx"), ("--lang", "de"), ("--port", "70000")])
def test_wrong_use_is_one_line(words: tuple[str, str]) -> None:
    status, said, errors = told("live", *words)
    assert (status, said) == (2, "")
    assert len(errors.splitlines()) == 1
