"""Patterns of paths, and the matcher of many: the result is that of a search in file order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.core.site.patterns import Captures, PatternMap, parse_pattern, samples


def match(pattern: str, target: str) -> dict[str, str] | None:
    parsed = parse_target(b"GET", target.encode())
    assert isinstance(parsed, Target)
    rules = PatternMap([(parse_pattern(pattern), None)])
    for _, captures in rules.matches(parsed.segments, parsed.trailing_slash, b""):
        return {name: value.decode() for name, value in captures.items()}
    return None


@pytest.mark.parametrize(
    ("pattern", "target", "captures"),
    [
        ("/", "/", {}),
        ("/", "/x", None),
        ("/old", "/old", {}),
        ("/old", "/old/", {}),
        ("/old/", "/old", {}),
        ("/old", "/OLD", None),
        ("/old", "/old/x", None),
        ("/a//b", "/a/b", {}),
        ("/enc%20x", "/enc%20x", {}),
        ("/enc%20x", "/enc+x", None),
        ("/grüße", "/gr%C3%BC%C3%9Fe", {}),
        ("/a.b", "/axb", None),
        ("/wiki/Talk%3AMain", "/wiki/Talk:Main", {}),
        ("/at/12:30", "/at/12:30", {}),
        ("/*", "/", {"splat": ""}),
        ("/*", "/a/b", {"splat": "a/b"}),
        ("/*", "/a/b/", {"splat": "a/b/"}),
        ("/news/*", "/news", {"splat": ""}),
        ("/news/*", "/news/", {"splat": ""}),
        ("/news/*", "/news/a/b", {"splat": "a/b"}),
        ("/news/*", "/newsletter", None),
        ("/pre*", "/prefix", {"splat": "fix"}),
        ("/pre*", "/pre", {"splat": ""}),
        ("/pre*", "/prefix/a/", {"splat": "fix/a/"}),
        ("/*.js", "/a/b.js", {"splat": "a/b"}),
        ("/*.js", "/ajs", None),
        ("/mid/*/end", "/mid/a/b/end", {"splat": "a/b"}),
        ("/mid/*/end", "/mid/end", {"splat": ""}),
        ("/mid/*/end", "/mid/a/b/end/", {"splat": "a/b"}),
        ("/*/end", "/end", {"splat": ""}),
        ("/*/end", "/a/end", {"splat": "a"}),
        ("/*/:x", "/a/b/c", {"splat": "a/b", "x": "c"}),
        ("/u/:id", "/u/7", {"id": "7"}),
        ("/u/:id", "/u/7/", {"id": "7"}),
        ("/u/:id", "/u/7/8", None),
        ("/u/:id", "/u/", None),
        ("/d/:y/:m", "/d/2026/11", {"y": "2026", "m": "11"}),
        ("/:a/x/*", "/1/x/y", {"a": "1", "splat": "y"}),
        ("/x/*/", "/x/a/", {"splat": "a/"}),
        ("/:x/c/*", "/c", None),
        ("/:x/c/*", "/a/c", {"x": "a", "splat": ""}),
        ("/a/*/a", "/a", None),
        ("/a/*/b/:x", "/a/b/c", {"splat": "", "x": "c"}),
        ("/.well-known/*", "/.well-known/acme", {"splat": "acme"}),
        ("/a*", "/a\nb".replace("\n", "%0A"), {"splat": "\nb"}),
    ],
)
def test_a_pattern_matches(pattern: str, target: str, captures: dict[str, str] | None) -> None:
    assert match(pattern, target) == captures


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("old", 'a path begins with "/"'),
        ("", 'a path begins with "/"'),
        ("https://h", "has no path"),
        ("https://h:80/x", "not a host name"),
        ("https://*.h/x", "not a host name"),
        ("https:///x", "not a host name"),
        ("/a/*/b/*", 'one "*" only'),
        ("/**", 'one "*" only'),
        ("/ph:id", '":id" must be a whole segment'),
        ("/:a*", '":a" must be a whole segment'),
        ("/a*:b", '":b" must be a whole segment'),
        ("/:x/:x", 'the name ":x" is there twice'),
        ("/:splat/*", 'the name ":splat" is there twice'),
        ("/a?b=c", "never part of a path"),
        ("/a#b", "never part of a path"),
        ("/%zz", "hexadecimal"),
        ("/a%2Fb", "no request has the segment"),
        ("/a%00b", "no request has the segment"),
        ("/a/../b", "no request has the segment"),
        ("/:x/%2f", "no request has the segment"),
        ("/_headers", "reserved"),
        ("/_REDIRECTS/", "reserved"),
    ],
)
def test_what_is_no_pattern_has_a_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_pattern(pattern)
    assert reason in str(caught.value)


def test_a_host_is_compared_without_case_and_a_name_in_it_is_one_label() -> None:
    rules = PatternMap([(parse_pattern("https://A.example/x"), 1), (parse_pattern("http://:sub.b.example/*"), 2)])
    assert len(rules.hosts) == 2

    def found(host: bytes) -> list[int]:
        return [value for value, _ in rules.matches((b"x",), False, host)]

    assert found(b"a.example") == [1]
    assert found(b"www.b.example") == [2]
    assert found(b"b.example") == found(b"x.www.b.example") == found(b"") == []


def test_patterns_are_equal_if_they_match_the_same() -> None:
    assert parse_pattern("/a/:x") == parse_pattern("/a/:y/")
    assert len({parse_pattern(text) for text in ("/a/:x", "/a/*", "/a", "/a/b", "http://h/a")}) == 5


def test_a_map_without_entries_is_false() -> None:
    empty: PatternMap[int] = PatternMap(())
    assert not empty
    assert list(empty.matches((b"a",), False, b"")) == []
    assert PatternMap([(parse_pattern("/*"), 1)])


SEGMENTS = st.lists(st.sampled_from(["a", "b", ":x", ":y", "*", "a*", "*b"]), max_size=4)
PATTERNS = SEGMENTS.filter(
    lambda names: sum("*" in name for name in names) < 2 and all(names.count(x) < 2 for x in (":x", ":y"))
).map(lambda names: "/" + "/".join(names))


@given(st.lists(PATTERNS, max_size=12), st.lists(st.sampled_from([b"a", b"b", b"ab", b"c"]), max_size=4), st.booleans())
def test_the_result_is_that_of_file_order(texts: list[str], names: list[bytes], slash: bool) -> None:
    patterns = [parse_pattern(text) for text in texts]
    path = b"/".join(names)
    expected: list[tuple[int, Captures]] = []
    for number, pattern in enumerate(patterns):
        captures = pattern.match(path, slash)
        if captures is not None and pattern.segments in (None, tuple(names)):
            expected.append((number, captures))
    rules = PatternMap((pattern, number) for number, pattern in enumerate(patterns))
    assert list(rules.matches(tuple(names), slash, b"")) == expected


@given(PATTERNS)
def test_a_pattern_matches_its_samples(text: str) -> None:
    pattern = parse_pattern(text)
    for sample in samples(pattern):
        assert list(PatternMap([(pattern, 1)]).matches(sample.segments, False, b""))


def test_the_sample_of_a_host_is_a_host() -> None:
    pattern = parse_pattern("https://:x.Example/a/*")
    assert pattern.host is not None
    assert all(pattern.host.fullmatch(sample.host) for sample in samples(pattern))


class Counted:
    """A pattern that counts how often it is tried."""

    tried = 0

    def __init__(self, text: str) -> None:
        self.pattern = parse_pattern(text)
        self.host, self.fixed, self.length = self.pattern.host, self.pattern.fixed, self.pattern.length

    def match(self, path: bytes, trailing_slash: bool) -> Captures | None:
        Counted.tried += 1
        return self.pattern.match(path, trailing_slash)


@pytest.mark.parametrize(
    "form", ["/old/p%d", "/p%d/*", "/p%d/:x", "/:lang/p%d", "/:lang/p%d/*", "/*/p%d", "/a/:x/p%d/:y/*"]
)
def test_of_many_rules_only_those_are_tried_that_can_match(form: str) -> None:
    rules = PatternMap((Counted(form % number), number) for number in range(2_000))  # type: ignore[misc]
    target = (form % 1_234).replace(":lang", "en").replace(":x", "x").replace(":y", "y").replace("*", "z")
    for path, expected in ((target, [1_234]), ("/nothing/of/the/kind", [])):
        Counted.tried = 0
        segments = tuple(segment.encode() for segment in path.split("/") if segment)
        assert [value for value, _ in rules.matches(segments, False, b"")] == expected
        assert Counted.tried <= 1
