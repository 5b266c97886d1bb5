"""`python -m pwb_legacy diff`: the corpus, what is compared, what is printed when a byte differs."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pwb_legacy.compare import commands
from pwb_legacy.compare import option_values as choices
from pwb_legacy.compare.checks import request_corpus as corpus
from pwb_legacy.compare.checks.configured_corpus import configure
from pwb_legacy.compare.checks.equality import compare, say
from pwb_legacy.compare.checks.request_corpus import Case
from pwb_legacy.compare.measure.servers import CONTESTANTS, CannotError, serving

from .test_compare import EPOLL, told

SINGLE = next(one for one in CONTESTANTS if one.name == "single")
HEAD = b"HTTP/1.1 200 OK\r\nDate: %s\r\n%sContent-Length: 2\r\n\r\nhi"
CASE = Case("a page", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")


def test_all_designs_answer_alike() -> None:
    status, output, errors = told("diff")
    assert (status, errors) == (0, "")
    assert output.endswith(f"requests to {len(CONTESTANTS)} designs: all are answered alike\n")


def test_the_site_that_is_made_refuses_redirects_and_has_hosts(tmp_path: Path) -> None:
    """So the designs are compared by more than 404."""
    root, beside = tmp_path / "root", tmp_path / "beside"
    root.mkdir()
    beside.mkdir()
    (root / "index.html").write_text("home")
    made = configure(root, beside)
    assert len({one.wire for one in made.cases}) > 120
    with serving(EPOLL, root, options=made.options) as server:
        answers = {one.wire: say(server.address, one.wire) for one in made.cases}
    statuses = Counter(re.findall(rb"^HTTP/1.1 (\d+)", answer)[0] for answer in answers.values())
    assert {b"200", b"204", b"206", b"301", b"302", b"304", b"307", b"308", b"401", b"403", b"404", b"410"} <= set(
        statuses
    )
    assert any(b"\r\nX-Site: a\r\n" in answer for answer in answers.values())
    assert not statuses[b"429"]
    secret = [wire for wire, answer in answers.items() if answer.endswith(b"\r\n\r\nsecret")]
    assert secret
    assert all(b"Ym9iOnNlY3JldA==" in wire for wire in secret)


def test_a_difference_is_shown_and_is_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = replace(EPOLL, name="aged", words=(*EPOLL.words, "--max-age", "60"))
    monkeypatch.setattr(choices, "CONTESTANTS", (EPOLL, other))
    (tmp_path / "a.txt").write_text("hi")
    requests = tmp_path / "requests"
    requests.write_text("GET /a.txt HTTP/1.1\nHost: h\n\n---\nnonsense\n\n")
    with pytest.raises(SystemExit) as status:
        commands.diff.main([str(tmp_path), "--corpus", str(requests)], standalone_mode=False)
    assert status.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "not answered alike: GET /a.txt HTTP/1.1",
        r"> GET /a.txt HTTP/1.1\r\n",
        r"> Host: h\r\n",
    ]
    assert r"-Cache-Control: no-cache\r\n" in lines
    assert r"+Cache-Control: max-age=60\r\n" in lines
    assert lines[-1] == "2 requests to 2 designs: 1 are not answered alike"


def test_the_summary_is_in_the_language_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    commands.diff.main(["--modes", "epoll,single", "--lang", "zh"], standalone_mode=False)
    assert re.fullmatch(r"向 2 种设计各发 \d+ 个请求.响应完全一致\n", capsys.readouterr().out)


def test_a_design_that_cannot_start_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = replace(EPOLL, name="broken", words=(*EPOLL.words, "--nonsense"))
    monkeypatch.setattr(choices, "CONTESTANTS", (EPOLL, broken))
    with pytest.raises(SystemExit) as status:
        commands.diff.main([], standalone_mode=False)
    assert status.value.code == 1
    said = capsys.readouterr()
    assert "broken: it cannot start: pwb-legacy: --nonsense" in said.err
    assert said.out.endswith("requests to one design: nothing to compare its answers with\n")


def test_only_dates_may_differ() -> None:
    answer = HEAD % (b"Mon", b"")
    other = replace(EPOLL, name="other")
    assert compare(CASE, {EPOLL: answer, other: HEAD % (b"Tue", b"")}) is None
    assert compare(CASE, {EPOLL: answer, other: answer.replace(b"hi", b"ho")}) is not None
    assert compare(CASE, {EPOLL: answer, other: answer + b"\r\n"}) is not None


def test_who_closes_is_compared_by_the_first_answer() -> None:
    answer, closing = HEAD % (b"Mon", b""), HEAD % (b"Mon", b"Connection: close\r\n")
    assert compare(CASE, {SINGLE: closing, EPOLL: answer + answer}) is None
    assert compare(CASE, {SINGLE: closing + closing, EPOLL: answer + answer}) is not None
    assert compare(CASE, {SINGLE: closing.replace(b"hi", b"ho"), EPOLL: answer + answer}) is not None


def test_a_corpus_file_has_blocks_of_lines_with_escapes(tmp_path: Path) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(b"GET / HTTP/1.1\nHost: h\n\n---\nGET /\\x00\\\\ HTTP/1.1\n\n---\n")
    assert [case.wire for case in corpus.read(path)] == [
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\x00\\ HTTP/1.1\r\n\r\n",
    ]


def test_a_corpus_folder_has_files_that_are_sent_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "one.http").write_bytes(b"GET / HTTP/1.0\n\\x00")
    assert corpus.read(tmp_path) == [Case("one.http", b"GET / HTTP/1.0\n\\x00")]


@pytest.mark.parametrize(
    "text", ["", "---\n---\n", "GET /\\x0 HTTP/1.1\n", "GET /\\N{snowman} HTTP/1.1\n", "# PWB\n\nWords.\n"]
)
def test_a_corpus_that_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "corpus"
    path.write_text(text)
    with pytest.raises(CannotError) as error:
        corpus.read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_an_error_without_a_file_has_no_name_before_it(tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("GET / HTTP/1.1\nHost: h\n\n")
    before = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); sys.stdout.reconfigure(line_buffering=True)"
    words = ("--modes", "epoll,thread", "--corpus", tmp_path / "corpus")
    status, _, errors = told("diff", *words, before=f"import sys; {before}")
    assert (status, errors) == (1, "pwb-legacy: No space left on device\n")


@pytest.mark.parametrize(
    "words", [["--nonsense"], ["--modes", "epoll,epoll"], ["--corpus", "/is/not/there"], ["/is/not/there"]]
)
def test_wrong_use_is_one_line_and_status_2(words: list[str]) -> None:
    status, output, errors = told("diff", *words)
    assert (status, output) == (2, "")
    assert len(errors.splitlines()) == 1
