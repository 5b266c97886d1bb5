"""What options require of each other."""

from collections.abc import Mapping

from .options import DECLARATIONS, ConfigError, Options


def check_bounds(options: Options, places: Mapping[str, str]) -> None:
    """Check that no option is larger than the one that limits it. `places` names the place of each value that is set.

    Raises ConfigError.
    """
    for name, option in DECLARATIONS.items():
        if (bound := option.at_most) and (value := getattr(options, name)) > (limit := getattr(options, bound)):
            place, place_of_bound = places.get(name, "default"), places.get(bound, "default")
            raise ConfigError(f"{name} {value} ({place}) is more than {bound} {limit} ({place_of_bound}).")


def check_needs(options: Options, places: Mapping[str, str]) -> None:
    """Check that each option has what it needs. `places` names the place of each option that is set.

    Raises ConfigError.
    """
    for name, place in places.items():
        needs = DECLARATIONS[name].needs
        if (
            needs
            and getattr(options, name) is not False
            and not any(_is_set(options, each) for each in needs.split("|"))
        ):
            flags = [_flag(each) for each in needs.split("|")]
            raise ConfigError(f"{place}: it has no meaning without {' or '.join(flags)}.")


def check_exclusions(options: Options, places: Mapping[str, str], ranks: Mapping[str, int]) -> None:
    """Check that no option has lost its meaning by another one. `ranks`: of their sources, the strongest the highest.

    An option that excludes others may replace what weaker sources set, and beside it a default may be spelled out, as
    `pwb config` does. Raises ConfigError.
    """
    for name, place in places.items():
        option = DECLARATIONS[name]
        other = option.excluded_by
        if other in places and getattr(options, name) != option.default and ranks[name] >= ranks[other]:
            raise ConfigError(f"{place}: it has no meaning with {places[other]}.")


def _is_set(options: Options, needed: str) -> bool:
    """Whether an option is set, as Declaration.needs has it: by its name, or with a value."""
    name, _, wanted = needed.partition("=")
    value = getattr(options, name)
    return value == wanted if wanted else value not in (None, (), False)


def _flag(needed: str) -> str:
    """An option as Declaration.needs has it, in the form of the command line."""
    name, _, wanted = needed.partition("=")
    return f"{DECLARATIONS[name].flag} {wanted}".rstrip()
