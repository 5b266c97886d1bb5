"""The declaration of an option: what PWB needs in order to read, check and describe it."""

from dataclasses import field
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from .option_types import OptionType

T = TypeVar("T")


class Topic(Enum):
    """What an option is about. The values are the headings of docs/options.md, in its order."""

    SITE = "What is served"
    FIELDS = "Rules, and fields of responses"
    ACCESS = "Access"
    LIVE_RELOAD = "Live reload"
    LISTENING = "Where it listens"
    TLS = "HTTPS"
    TERMINAL = "At the terminal"
    PROCESS = "Processes and rights"
    STORAGE = "Memory and disk"
    LOGGING = "Log and timeline"
    OPERATION = "Health, metrics and restarts"
    TIMEOUTS = "How long a client may take"
    LIMITS = "How much a client may ask for"
    DESIGNS = "The designs, and how they wait"


class Declaration(NamedTuple):
    """One option: everything that PWB needs in order to read, check and describe it."""

    name: str
    """The name of the field of Options, such as max_age."""
    topic: Topic
    default: Any
    type: OptionType
    """The type of its value; of each value if the option is repeatable."""
    help: str
    program: str
    """The only program with this option on its command line; "" for both."""
    at_most: str
    """The option whose value is the upper bound of this one's; "" for none."""
    needs: str
    """The option without which this one has no meaning, such as unix, or a value of it, such as mode=epoll.

    "a|b" stands for one of several."""
    excluded_by: str
    """The option with which this one has no meaning, such as unix; "" for none."""
    positional: bool
    """Whether it is an argument without a name on the command line."""

    @property
    def flag(self) -> str:
        """The option as it is written on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def repeatable(self) -> bool:
        """Whether it may be given several times; its value is a tuple."""
        return isinstance(self.default, tuple)

    def belongs_to(self, program: str) -> bool:
        """Whether `program` has this option on its command line."""
        return self.program in ("", program)


def option(
    topic: Topic,
    default: T,
    value_type: OptionType,
    about: str,
    *,
    program: str = "",
    at_most: str = "",
    needs: str = "",
    excluded_by: str = "",
    positional: bool = False,
) -> T:
    """Declare an option; Declaration has the meaning of the parameters.

    A tuple as `default` makes the option repeatable, a bool makes it a pair of flags.
    """
    declared = Declaration("", topic, default, value_type, about, program, at_most, needs, excluded_by, positional)
    declaration: T = field(default=default, metadata={"declaration": declared})
    return declaration
