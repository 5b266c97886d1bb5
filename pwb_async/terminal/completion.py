"""Completion of command lines by shells: click's scripts, and the words that these ask for."""

import os
from collections.abc import Callable, Iterator
from typing import Final

import click
from click.shell_completion import BashComplete, CompletionItem, ShellComplete, get_completion_class

from pwb_async.config.command_line import PROGRAMS, make_command

_PROGRAM: Final = "pwb"
_VARIABLE: Final = "_PWB_COMPLETE"
"""The variable in which the script names the shell and asks for words, as in "bash_complete"."""
_SHELLS: Final = ("bash", "zsh", "fish")
PARAMETERS: Final = (click.Argument(["shell"], type=click.Choice(_SHELLS)),)
"""The parameters of `pwb completion`."""


def is_asked() -> bool:
    """Whether a shell has started this process to ask for words."""
    return _VARIABLE in os.environ


def script(shell: str) -> str:
    """The script for a shell."""
    return _completion(shell, click.Command(_PROGRAM)).source()


def words(command_of: Callable[[str], click.Command | None]) -> Iterator[str]:
    """The words that may follow, as the script of the shell reads them. command_of: the command line of a command."""
    shell = os.environ[_VARIABLE].partition("_")[0]
    if shell not in _SHELLS:
        return
    arguments, incomplete = _completion(shell, click.Command(_PROGRAM)).get_completion_args()
    command = command_of(arguments[0]) if arguments else None
    serving = make_command(_PROGRAM, _PROGRAM, PROGRAMS[_PROGRAM])
    completion = _completion(shell, serving if command is None else command)
    if not arguments:
        commands = PROGRAMS[_PROGRAM].commands
        for name, about in commands:
            if name.startswith(incomplete):
                yield completion.format_completion(CompletionItem(name, help=about))
    for item in completion.get_completions(arguments if command is None else arguments[1:], incomplete):
        yield completion.format_completion(item)


class _BashComplete(BashComplete):
    """Completion by bash, which adds directories to other words, and takes `=` for a word of its own."""

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' completion
    COMPREPLY=()
    for completion in $(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1); do
        case $completion in
            dir,*) compopt -o plusdirs ;;
            file,*) compopt -o default ;;
            plain,*) COMPREPLY+=("${completion#plain,}") ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words in front of the one that is completed, and that one: none of them is an `=`."""
        arguments, incomplete = super().get_completion_args()
        return [each for each in arguments if each != "="], "" if incomplete == "=" else incomplete


def _completion(shell: str, command: click.Command) -> ShellComplete:
    completion_class = _BashComplete if shell == "bash" else get_completion_class(shell)
    assert completion_class is not None
    return completion_class(command, {}, _PROGRAM, _VARIABLE)
