"""An explanation as text for people, and as JSON for programs."""

import json
import shutil
from collections.abc import Iterator
from typing import Final

import click

from pwb_async.output.printing import printable

from .explanation import ExplainedField, Explanation, Step, Verdict

_MARKS: Final = {Verdict.CHOSEN: "+", Verdict.LOST: "-", Verdict.NOT_ASKED: " "}
_COLOURS: Final = {Verdict.CHOSEN: "green", Verdict.LOST: "red", Verdict.NOT_ASKED: None}
_NAMES: Final = 12
"""Columns of the names of steps."""
_SUBJECTS: Final = 50
"""The most columns of the subject of a detail, and of a field, before what stands behind it."""


def to_text(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of an explanation, with colours, which click.echo() removes where there is no terminal."""
    yield click.style(printable(explanation.request), bold=True) + f"  from {explanation.client}"
    yield ""
    for step in explanation.steps:
        yield from _step(step)
    yield ""
    yield click.style(printable(explanation.status_line), bold=True)
    texts = [f"{each.name}: {each.value}" for each in explanation.fields]
    width = _width(texts)
    for text, each in zip(texts, explanation.fields, strict=True):
        yield _beside(printable(text), width, each.origin)
    for each in explanation.removed:
        yield _dim(f"without {each.name}, which {each.origin} removes")


def _step(step: Step) -> Iterator[str]:
    yield click.style(f"{step.name:{_NAMES}}", bold=True) + printable(step.result)
    width = _width([detail.subject for detail in step.details])
    for detail in step.details:
        colour = _COLOURS[detail.verdict]
        mark = click.style(_MARKS[detail.verdict], fg=colour)
        subject = printable(detail.subject)
        reason = detail.reason if detail.verdict is not Verdict.NOT_ASKED else _dim(detail.reason)
        yield f"{'':{_NAMES - 2}}{mark} {subject:{width}}  {reason}"


def _width(texts: list[str]) -> int:
    """The columns of the longest of these texts that is not too long."""
    return max((len(text) for text in texts if len(text) <= _SUBJECTS), default=0)


def _beside(text: str, width: int, origin: str) -> str:
    """A field with its origin, in the next line if it is long."""
    if len(text) > width:
        columns = shutil.get_terminal_size().columns
        if len(text) + len(origin) + 4 > columns:
            return f"{text}\n{'':{width}}  {_dim(origin)}"
    return f"{text:{width}}  {_dim(origin)}"


def _dim(text: str) -> str:
    return click.style(text, dim=True)


def to_json(explanation: Explanation) -> str:
    """An explanation as one line of JSON."""
    return json.dumps(
        {
            "request": explanation.request,
            "client": explanation.client,
            "steps": [
                {
                    "name": step.name,
                    "result": step.result,
                    "details": [
                        {"subject": detail.subject, "verdict": detail.verdict.value, "reason": detail.reason}
                        for detail in step.details
                    ],
                }
                for step in explanation.steps
            ],
            "status": int(explanation.status_line.split(" ")[1]),
            "fields": _fields(explanation.fields),
            "removed": _fields(explanation.removed),
        }
    )


def _fields(fields: tuple[ExplainedField, ...]) -> list[dict[str, str]]:
    return [{"name": each.name, "value": each.value, "origin": each.origin} for each in fields]
