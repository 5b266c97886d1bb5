"""The words of one language, and sentences made of them."""

from dataclasses import dataclass
from importlib import import_module
from typing import Final

from pwb_legacy.compare.checks.findings import Finding

SHOWN: Final = 60
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Words:
    """All sentences of one language."""

    titles: dict[str, str]
    """What a correct server does, by the id of a row or of a client."""
    findings: dict[str, str]
    """By Finding.kind."""
    text: dict[str, str]
    """Labels, the summary and errors."""

    def sentence(self, finding: Finding) -> str:
        """A finding in words."""
        words = self.findings[finding.kind].format(
            value=self._shown(finding.value), expected=self._shown(finding.expected), name=finding.name
        )
        return self.text["response"].format(number=finding.response, words=words) if finding.response else words

    def _shown(self, value: object) -> str:
        if isinstance(value, tuple):
            return self.text["or"].join(map(str, value))
        if isinstance(value, int):
            return f"{value:,}" if value >= 10_000 else str(value)
        if isinstance(value, bytes) and len(value) > SHOWN:
            return self.text["excerpt"].format(start=repr(value[:20]), size=f"{len(value):,}")
        return repr(value[:SHOWN]) if isinstance(value, str | bytes) else repr(value)


def load(language: str) -> Words:
    """The words of "en" or "zh"."""
    module = import_module(f".{language}", __package__)
    return Words(module.TITLES, module.FINDINGS, module.TEXT)
