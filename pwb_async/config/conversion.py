"""Values from the environment or from TOML as the types of their options."""

from .errors import BadValueError
from .options import DECLARATIONS, ConfigError


def convert(name: str, place: str, value: object) -> object:
    """The value of an option, which stands at `place`. Raises ConfigError."""
    option = DECLARATIONS[name]
    try:
        if not option.repeatable:
            return option.type(value)
        if not isinstance(value, list):
            raise BadValueError(f"{value!r} is not a list.")
        return tuple(map(option.type, value))
    except BadValueError as error:
        raise ConfigError(f"{place}: {error}") from None
