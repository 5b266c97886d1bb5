"""The sentences of `pwb-legacy live`: which figures each belongs to, and that both languages have all of them."""

import string
from typing import Any

import pytest

from pwb_legacy.compare.live.story import tell
from pwb_legacy.compare.live.words import EN, LANGUAGES, ZH
from pwb_legacy.compare.measure.servers import CONTESTANTS

CALM: dict[str, Any] = {
    "paused": False, "ended": "", "rate": 20, "median": 1.0, "longest": 3.0, "waiting": 0, "late": 2, "silent": 0.0, "lost": 0,
    "cpu": 1, "memory": 12.0, "grown": None, "threads": 1, "processes": 1, "clients": 4, "lane": [],
}  # fmt: skip


def story(on: tuple[str, ...] = (), killed: dict[str, int] | None = None, **changed: dict[str, Any]) -> dict[str, Any]:
    """The sentences about nine calm designs, some of which are changed."""
    rows = [CALM | {"name": one.name} | changed.get(one.name.replace("-", "_"), {}) for one in CONTESTANTS]
    told = tell({"rate": 20.0, "on": list(on), "killed": killed, "rows": rows})
    assert told[0] == ("load", {"rate": 20, "files": 4})
    for key, values in told:
        for words in LANGUAGES.values():
            names = {name for _, name, _, _ in string.Formatter().parse(words["story"][key]) if name}
            assert names <= values.keys(), key
    return dict(told[1:])


def test_calm() -> None:
    told = story(process={"median": 2.0}, **{"async": {"median": 0.4}})
    assert told == {"calm": {"least": "0.4", "first": "async", "most": "2.0", "last": "process"}}


def test_nothing_is_told_of_a_design_that_is_paused() -> None:
    told = story(process={"median": 9.0, "paused": True})
    assert told["calm"]["most"] == "1.0"
    assert told["paused"] == {"names": ["process"]}


def test_the_reason_is_told_only_where_it_is_one() -> None:
    stuck = {"rate": 0, "median": None, "longest": None, "silent": 4.0, "waiting": 40}
    told = story(("slow-senders",), single=stuck)
    assert told["blocked"] == {"name": "single", "seconds": 4}
    assert told["own"]["names"] == ["thread", "process", "gevent"]
    assert "epoll" in told["loops"]["names"]
    assert story(single=stuck)["stuck"] == {"name": "single", "seconds": 4}
    told = story(("slow-senders",), epoll=stuck)
    assert told["stuck"]["name"] == "epoll"
    assert "epoll" not in told["loops"]["names"]


def test_a_busy_machine_is_told() -> None:
    assert "late" not in story()
    assert story(epoll={"late": 40})["late"] == {"ms": 40}


def test_a_design_that_does_not_keep_up() -> None:
    assert story(gevent={"waiting": 90})["behind"] == {"items": ["gevent 90"]}


def test_a_slow_disk_is_told_of_those_that_show_it() -> None:
    alone, beside = {"median": 52.0, "longest": 83.0}, {"median": 21.0, "longest": 24.0}
    told = story(("slow-disk",), epoll=alone, gevent=alone, thread=beside, process={"median": 60.0, "longest": 99.0})
    assert told["alone"]["items"] == ["gevent 52/83\xa0ms", "epoll 52/83\xa0ms"]
    assert told["side-by-side"]["items"] == ["thread 21/24\xa0ms"]
    assert told["cached"]["items"] == ["async 1.0/3.0\xa0ms", "async-asyncio 1.0/3.0\xa0ms"]


def test_idle_clients_are_told_with_what_they_cost() -> None:
    told = story(
        ("idle",),
        process={"clients": 104, "processes": 105, "grown": 304.6},
        thread={"clients": 104, "threads": 105, "grown": 2.5},
        epoll={"clients": 104, "grown": -0.0},
    )
    assert told["grown"]["items"] == ["process +305\xa0MiB", "thread +2.5\xa0MiB", "epoll +0.0\xa0MiB"]
    assert told["processes"] == told["threads"] == {"count": 104}
    assert told["one-request"] == {"names": ["single"]}
    assert "grown" not in story(("idle",)), "nobody holds them yet"


def test_a_killed_child_and_an_ended_server() -> None:
    told = story((), {"pid": 7, "seconds": 3}, process={"lost": 1}, epoll={"ended": "it ended with status 1"})
    assert told["killed"] == {"pid": 7, "seconds": 3, "items": ["process 1"], "processes": 1}
    assert told["ended"] == {"name": "epoll", "why": "it ended with status 1"}


def test_losses_beside_a_killed_child_are_named_with_their_designs() -> None:
    told = story((), {"pid": 7, "seconds": 3}, process={"lost": 0}, single={"lost": 320})
    assert told["killed"]["items"] == ["process 0", "single 320"]


@pytest.mark.parametrize("part", EN)
def test_both_languages_have_the_same_sentences_with_the_same_values(part: str) -> None:
    assert EN[part].keys() == ZH[part].keys()
    for key, text in EN[part].items():
        if part != "page" or key != "legend":
            names = [{name for _, name, _, _ in string.Formatter().parse(each[part][key]) if name} for each in (EN, ZH)]
            assert names[0] == names[1], text


def test_every_design_has_a_description() -> None:
    assert EN["designs"].keys() == {one.name for one in CONTESTANTS}
