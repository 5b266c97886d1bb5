"""--help in sections: examples and commands first, then the options under headings."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from pwb_async.output.colours import BOLD, Style, has_colours

WIDTH = 100
"""The most columns of a line of help."""
_EXAMPLE_INDENT = 2
"""Columns by which the explanation of an example, in the line below it, is indented."""
_OTHERS = "Other options"

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": WIDTH}
"""The click settings of all commands."""


class HelpfulCommand(click.Command):
    """A click command whose --help has examples, and headings for its options."""

    def __init__(
        self,
        name: str | None,
        *,
        examples: Sequence[tuple[str, str]] = (),
        commands: Sequence[tuple[str, str]] = (),
        headings: Mapping[str, Sequence[str]] | None = None,
        **settings: Any,
    ) -> None:
        """examples, commands: command lines, and what they do. headings: the names of the parameters under each."""
        super().__init__(name, context_settings=SETTINGS, **settings)
        self.examples, self.commands, self.headings = examples, commands, headings or {}

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description, the examples and the commands; called by click."""
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section(_heading("Examples")):
                formatter.write_dl(self.examples, col_max=_EXAMPLE_INDENT)
        if self.commands:
            with formatter.section(_heading("Commands (each has its own --help)")):
                formatter.write_dl(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options heading by heading; called by click."""
        by_name = {param.name: param for param in self.get_params(ctx) if isinstance(param, click.Option)}
        under = {title: [name for name in names if name in by_name] for title, names in self.headings.items()}
        placed = {name for names in under.values() for name in names}
        under[_OTHERS if placed else "Options"] = [name for name in by_name if name not in placed]
        for title, names in under.items():
            if records := [record for name in names if (record := by_name[name].get_help_record(ctx))]:
                with formatter.section(_heading(title)):
                    formatter.write_dl(records)


def _heading(title: str) -> str:
    return Style(has_colours(sys.stdout, os.environ))(title, BOLD)
