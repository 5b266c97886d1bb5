"""The catalogues have the same sentences in each language, and one for each row."""

import re

import pytest

from pwb_async.config.language import LANGUAGES
from pwb_legacy.check.examine import IDS
from pwb_legacy.check.words.catalogue import load
from pwb_legacy.check.words.sections import SECTIONS
from pwb_legacy.compare.checks.findings import Finding

ENGLISH = load("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete(language: str) -> None:
    words = load(language)
    assert words.titles.keys() == set(IDS) == SECTIONS.keys()
    for own, english in ((words.findings, ENGLISH.findings), (words.text, ENGLISH.text)):
        assert {key: names(text) for key, text in own.items()} == {key: names(text) for key, text in english.items()}


def names(template: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", template))


@pytest.mark.parametrize(
    ("finding", "english", "chinese"),
    [
        (
            Finding("status", 200, (400, 404), response=2),
            "response 2: the status is 200, not 400 or 404",
            "第 2 个响应：状态码是 200，应为 400 或 404",
        ),
        (
            Finding("content", b"x" * 65_536, b"1"),
            f"the content is b'{'x' * 20}'... of 65,536 bytes, not b'1'",
            f"响应体是 b'{'x' * 20}'……（共 65,536 字节），应为 b'1'",
        ),
        (Finding("field-absent", name="date"), "the field date is missing", "缺少响应头 date"),
        (
            Finding("too-few", 1, 2),
            "the connection ends after 1 of 2 responses",
            "应有 2 个响应，第 1 个之后连接就关闭了",
        ),
    ],
)
def test_a_finding_is_a_sentence(finding: Finding, english: str, chinese: str) -> None:
    assert [load(language).sentence(finding) for language in ("en", "zh")] == [english, chinese]
