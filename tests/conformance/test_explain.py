"""What `pwb explain` prints is what a server sends: the heads of all responses of the suite, byte for byte."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from pwb_async.config.loader import read_options
from pwb_async.explain.explainer import Explainer
from pwb_async.explain.explanation import Explanation, Verdict
from pwb_async.explain.text import to_json, to_text
from pwb_legacy.compare.checks.rows import Row

from .designs import REFERENCE
from .exchange import exchange
from .rows import ROWS, access, rules
from .rows.site import RowSite
from .server import Server, running
from .test_rules import WARNINGS
from .test_sites import SITES

ALL_SITES: Final = {
    **SITES,
    "access": RowSite(
        access.FILES, access.ROWS, beside={"pwb.toml": access.CONFIG.encode(), "users": access.USERS.encode()}
    ),
    "rules": RowSite(rules.FILES, rules.ROWS, allowed_errors=WARNINGS),
}
ESSENTIAL: Final = ("access", "hosts", "rules")
"""Those that a short run includes."""
_DATE: Final = re.compile(rb"(?<=\r\nDate: )[^\r]*")
_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")


def explainer(directory: Path, *words: str) -> Explainer:
    return Explainer("pwb explain", read_options("pwb", ["--access-log", "off", *words], {}, directory))


def explanations(explaining: Explainer, row: Row) -> Iterator[Explanation]:
    for _, explanation in explaining.explain(b"".join(row.requests), "127.0.0.1", int(time.time())):
        check_whole(explanation)
        yield explanation


def check_whole(explanation: Explanation) -> None:
    """Checks that each field of the head has its origin, and that nothing is missing in what is printed."""
    lines = [explanation.status_line, *(f"{each.name}: {each.value}" for each in explanation.fields), "", ""]
    assert "\r\n".join(lines).encode("latin-1") == explanation.head
    assert all(each.origin for each in explanation.fields), explanation.fields
    text = _STYLE.sub("", "\n".join(to_text(explanation)))
    assert all(f"\n{line}" in text for line in lines), text
    assert json.loads(to_json(explanation))["status"] == int(explanation.status_line.split()[1])
    for step in explanation.steps:
        assert step.name
        assert step.result
        verdicts = [detail.verdict for detail in step.details]
        if step.name == "candidates":
            assert verdicts.count(Verdict.CHOSEN) <= 1
            if Verdict.CHOSEN in verdicts:
                assert Verdict.LOST not in verdicts[verdicts.index(Verdict.CHOSEN) :]
            else:
                assert not verdicts or step.result == "nothing is found" or "whatever is found" in step.result, step


async def compare(explaining: Explainer, server: Server, rows: list[Row]) -> None:
    for row in rows:
        responses = await exchange(server, row.requests, len(row.responses), row.ends)
        heads = [response.wire[: response.wire.index(b"\r\n\r\n") + 4] for response in responses]
        explained = [explanation.head for explanation in explanations(explaining, row)]
        assert [_DATE.sub(b"*", head) for head in explained[: len(heads)]] == [_DATE.sub(b"*", head) for head in heads]


async def test_the_rows_of_a_plain_site(served_root: Path, reference: Server, tmp_path: Path) -> None:
    await compare(explainer(tmp_path, str(served_root)), reference, ROWS)


async def check_site(site: RowSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, log_dir = tmp_path / "folder", tmp_path / "log"
    folder.mkdir()
    log_dir.mkdir()
    root = site.build(folder)
    monkeypatch.chdir(folder)
    async with running(
        REFERENCE, root, *site.options, log_dir=log_dir, allowed_errors=site.allowed_errors, folder=folder
    ) as server:
        await compare(explainer(folder, *site.options, str(root)), server, list(site.rows))


@pytest.mark.parametrize("name", ESSENTIAL)
async def test_the_rows_of_a_site(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await check_site(ALL_SITES[name], tmp_path, monkeypatch)


@pytest.mark.parametrize("name", sorted(ALL_SITES.keys() - ESSENTIAL))
async def test_the_rows_of_the_other_sites(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await check_site(ALL_SITES[name], tmp_path, monkeypatch)


async def test_the_rows_with_explanations_in_their_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = ALL_SITES["rules"]
    errors = f"{site.allowed_errors}|responses show of which rules"
    await check_site(
        site._replace(options=("--explain-fields", "--cache", "off"), allowed_errors=errors), tmp_path, monkeypatch
    )
