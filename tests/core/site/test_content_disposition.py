"""Content-Disposition by rule (RFC 6266, RFC 8187)."""

import re

import pytest

from pwb_async.config.headers_file import parse_headers
from pwb_async.config.options import ConfigError
from pwb_async.core.site.header_rules import HeaderRules

from .rule_requests import request_of


def sent(value: str, path: str = "/*", target: str = "/f") -> str:
    rules = HeaderRules(parse_headers("H", f"{path}\nContent-Disposition: {value}\n".encode()).rules)
    return dict(rules.apply(200, (), request_of(target)))[b"Content-Disposition"].decode("ascii")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("attachment", "attachment"),
        ("inline", "inline"),
        ("attachment; filename=a.txt", "attachment; filename=a.txt"),
        ('attachment;filename="a b;c.txt"', 'attachment;filename="a b;c.txt"'),
        ('attachment; FileName="Übersicht €.pdf"', "attachment; filename=\"Ubersicht _.pdf\"; filename*=UTF-8''%C3%9Cbersicht%20%E2%82%AC.pdf"),
        ('attachment; filename="100%.txt"', "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        (r'attachment; filename="a\"b.txt"', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        ('attachment; filename="../a/b.txt"', 'attachment; filename="b.txt"'),
        ('attachment; filename=""; size=7', "attachment; size=7"),
        ('attachment; filename="a/"', "attachment"),
        ("attachment; filename=\"x.pdf\"; filename*=UTF-8''y%25.pdf", "attachment; filename=\"x.pdf\"; filename*=UTF-8''y%25.pdf"),
        ('attachment; filename="ü.txt"; size=7', "attachment; filename=\"u.txt\"; filename*=UTF-8''%C3%BC.txt; size=7"),
        ("attachment; filename=\"it's(1)*.txt\"", "attachment; filename=\"it's(1)*.txt\""),
        ("attachment; filename=\"it's ü.txt\"", "attachment; filename=\"it's u.txt\"; filename*=UTF-8''it%27s%20%C3%BC.txt"),
    ],
)  # fmt: skip
def test_a_name_in_us_ascii_and_the_whole_name(value: str, expected: str) -> None:
    assert sent(value) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/d/a.txt", 'attachment; filename="v1-a.txt"'),
        ("/d/x/a.txt", 'attachment; filename="a.txt"'),
        ("/d/%C3%BC%20x", "attachment; filename=\"v1-u x\"; filename*=UTF-8''v1-%C3%BC%20x"),
        ("/d/%22;%20y=%22", "attachment; filename=\"v1-_; y=_\"; filename*=UTF-8''v1-%22%3B%20y%3D%22"),
        ("/d/%5C%22", "attachment; filename=\"v1-__\"; filename*=UTF-8''v1-%5C%22"),
        ("/d/%0D%0AX:y", 'attachment; filename="v1-__X:y"'),
        ("/d/%FF", "attachment; filename=\"v1-_\"; filename*=UTF-8''v1-%EF%BF%BD"),
        ("/d", 'attachment; filename="v1-"'),
    ],
)
def test_what_is_filled_in_ends_no_quoted_text(target: str, expected: str) -> None:
    value = sent('attachment; filename="v1-:splat"', "/d/*", target)
    assert value == expected
    assert re.fullmatch(r'attachment; filename="[^"\\%]*"(; filename\*=UTF-8\'\'[\w.%-]+)?', value)


@pytest.mark.parametrize(
    "value", ["", "a b", 'attachment; filename="x', "attachment; filename=a b.txt", "attachment; filename=:splat", ";"]
)
def test_a_value_that_is_none(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sent(value)
    assert str(caught.value).startswith("H line 2: ")


def test_of_two_values_the_later_counts() -> None:
    rules = parse_headers("H", b"/*\nContent-Disposition: inline\nContent-Disposition: attachment\n").rules
    assert HeaderRules(rules).apply(200, (), request_of("/f")) == ((b"Content-Disposition", b"attachment"),)
