"""The language of a command's output: the option --lang, and its default from the environment."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

LANGUAGES: Final = ("en", "zh")
"""English and Chinese."""


def preferred(environment: Mapping[str, str] = os.environ) -> str:
    """One of LANGUAGES, from LC_ALL, LC_MESSAGES and LANG, of which the first that is set counts (POSIX, 8.2)."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((value for name in names if (value := environment.get(name))), "")
    return "zh" if locale.partition("_")[0].partition(".")[0] == "zh" else "en"


def language_option(what: str = "Language.") -> Callable[[Any], Any]:
    """The click option --lang, whose value is one of LANGUAGES."""
    import click  # the language itself is found without it

    return click.option(
        "--lang", type=click.Choice(LANGUAGES), default=preferred, help=what, show_default="that of the terminal"
    )
