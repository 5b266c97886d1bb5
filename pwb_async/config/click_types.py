"""The types of options as click has them."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from .errors import BadValueError
from .option_types import PATH, OptionType


class ClickType(click.ParamType[Any]):
    """A click type that reads values as an OptionType does."""

    def __init__(self, option_type: OptionType) -> None:
        self._type, self.name = option_type, option_type.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value that a text stands for; called by click. Raises click.BadParameter."""
        try:
            return self._type(value)
        except BadValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The values that begin with a text; for a path, what makes the shell complete it. Called by click."""
        if self._type is PATH:
            return [CompletionItem(incomplete, type="dir" if isinstance(param, click.Argument) else "file")]
        return [CompletionItem(word) for word in self._type.words if word.startswith(incomplete)]
