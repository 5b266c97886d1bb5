"""The file _redirects: redirects and rewrites in the form of Netlify and Cloudflare Pages, one on a line.

    FROM [KEY=VALUE ...] TO [STATUS[!]]

Where the two makers differ, docs/rules.md says which one PWB follows, and why.
"""

import re
from typing import Final, NamedTuple

from pwb_async.core.site.redirect_rules import REDIRECTS, REWRITES, RedirectRule, parse_rule

from .rules_file import MAX_RULES, Line, beneath, lines_of

DEFAULT_STATUS: Final = 302
"""The status of a redirect that names none: browsers remember a wrong 301, and forget a wrong 302."""
NO_STATUS: Final = "it has no status; PWB sends 302, as Cloudflare does, and Netlify 301"
"""The warning about a redirect without a status."""
STATUSES: Final = (*REDIRECTS, *REWRITES)
"""The statuses that a rule may have."""
_STATUS: Final = re.compile(r"([0-9]{1,9})(!?)")
_CONDITION: Final = re.compile(r"(country|language|role|cookie)=", re.IGNORECASE)
_COMMENT: Final = re.compile(r"\s#.*", re.DOTALL)
_DESTINATION: Final = re.compile(r"/|https?://", re.IGNORECASE)


class Redirects(NamedTuple):
    """The content of a file."""

    rules: tuple[RedirectRule, ...]
    warnings: tuple[str, ...]
    """Lines about what is probably not meant, each of which begins with its place."""


def parse_redirects(name: str, content: bytes, place: bytes = b"") -> Redirects:
    """The rules in the content of a file; `name` is the one that messages have. Raises ConfigError.

    place: the path at which the site has the folder of the file.
    """
    rules: list[RedirectRule] = []
    warnings: list[str] = []
    for line in lines_of(name, content):
        if len(rules) == MAX_RULES:
            raise line.error(f"there are more than {MAX_RULES} rules")
        try:
            rule, has_status = _parse(line, place)
        except ValueError as error:
            raise line.error(error) from None
        rules.append(rule)
        if not has_status:
            warnings.append(f"{line.place}: {NO_STATUS}")
    return Redirects(tuple(rules), tuple(warnings))


def _parse(line: Line, place: bytes) -> tuple[RedirectRule, bool]:
    """A rule, and whether its line names a status. Raises ValueError with the reason why it is none."""
    source, *words = _COMMENT.sub("", line.text).split()
    at = next((index for index, word in enumerate(words) if _DESTINATION.match(word)), None)
    if at is None:
        if not words or "=" in words[0]:
            raise ValueError("it has no destination")
        raise ValueError(f'"{words[0]}": a destination begins with "/" or "http(s)://"')
    destination, *rest = words[at:]
    status, force = DEFAULT_STATUS, False
    if rest and not _CONDITION.match(rest[0]):
        status, force = _parse_status(rest.pop(0))
    if rest:
        if _CONDITION.match(rest[0]):
            raise ValueError(f'the condition "{rest[0]}" is not supported')
        raise ValueError(f'unknown word "{rest[0]}" after the status')
    if destination.startswith("/") and destination[1:2] not in ("/", "\\"):  # which parse_rule() refuses
        destination = beneath(place, destination)
    source, conditions = beneath(place, source), tuple(map(_parse_condition, words[:at]))
    rule = parse_rule(line.place, source, destination, status, force, conditions)
    return rule, len(words) > at + 1


def _parse_status(word: str) -> tuple[int, bool]:
    match = _STATUS.fullmatch(word)
    if match is None or int(match[1]) not in STATUSES:
        raise ValueError(f'"{word}": the status must be one of {", ".join(map(str, sorted(STATUSES)))}')
    return int(match[1]), bool(match[2])


def _parse_condition(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not (key and equals):
        raise ValueError(f'"{word}": in front of the destination is room for the query only, such as id=:id')
    return key, value
