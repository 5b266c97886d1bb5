"""The status line: the traffic of a server, and the keys that control it."""

from collections.abc import Iterator, Mapping

from pwb_async.output.amounts import size_text
from pwb_async.output.width import width

from .traffic import Traffic


def status(traffic: Traffic, words: Mapping[str, str], *, keys: bool, columns: int) -> str:
    """The status line, with as much as fits into so many columns. keys: whether there are keys."""
    text = ""
    for part in _parts(traffic, words, keys):
        longer = f"{text} | {part}" if text else part
        if width(longer) > columns:
            break
        text = longer
    return text


def _parts(traffic: Traffic, words: Mapping[str, str], keys: bool) -> Iterator[str]:
    """The parts of the line, the most important first."""
    requests, sent = traffic.rates()
    if traffic.requests:
        clients = traffic.clients()
        yield words["rate"].format(count=f"{requests:,.0f}")
        yield words["one client"] if clients == 1 else words["clients"].format(count=f"{clients:,}")
        yield f"{size_text(sent)}/s"
        yield words["all"].format(count=f"{traffic.requests:,}", sent=size_text(traffic.sent))
    else:
        yield words["idle"]
    if keys:
        yield words["key hints"]
