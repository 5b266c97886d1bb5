"""Options in the environment: PWB_MAX_AGE=60.

Other programs may set variables with our prefix, so a name that is not an option causes a warning, not an error.
Kubernetes describes each Service to every container: a Service called pwb by PWB_SERVICE_HOST and
PWB_PORT=tcp://10.0.0.11:80 among others, one called pwb-docs by PWB_DOCS_PORT. Such variables are recognised by name
and value, and ignored.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pwb_async.output.printing import did_you_mean

from .options import DECLARATIONS

PREFIX: Final = "PWB_"
CONFIG: Final = f"{PREFIX}CONFIG"
"""The variable that names the TOML file."""
_PLATFORM_PORT: Final = "PORT"
"""The variable with which platforms such as Cloud Run and Heroku name the port."""
_SERVICE: Final = (
    r"PWB_(?:[A-Z0-9_]+_)?"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_PORT: Final = r"PWB_(?:[A-Z0-9_]+_)?PORT"
_URL: Final = r"(?:tcp|udp|sctp)://.+:[0-9]+"
_MAX_SHOWN: Final = 3
"""Variables of Kubernetes that the warning names; it counts the others."""


def read_port(environ: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    """The port that the platform names, as read() has options; any other source of a port overrides it."""
    if text := environ.get(_PLATFORM_PORT):
        yield "port", f"environment variable {_PLATFORM_PORT}", text


def read(environ: Mapping[str, str], warn: Callable[[str], object]) -> Iterator[tuple[str, str, Any]]:
    """The name of each option that is set, where it stands, and its text; of a repeatable option a list of texts.

    An empty variable counts as absent. `warn` is called with a line about each thing that is ignored.
    """
    service = []
    for variable in sorted(variable for variable in environ if variable.startswith(PREFIX)):
        text, word = environ[variable], variable.removeprefix(PREFIX)
        name = word.lower()
        if re.fullmatch(_SERVICE, variable) or (re.fullmatch(_PORT, variable) and re.fullmatch(_URL, text)):
            service.append(variable)
        elif word.isupper() and name in DECLARATIONS:
            if text:
                option = DECLARATIONS[name]
                yield name, f"environment variable {variable}", option.type.split(text) if option.repeatable else text
        elif variable != CONFIG:
            hint = did_you_mean(name, DECLARATIONS, lambda name: PREFIX + name.upper())
            warn(f"environment variable {variable}: no such option{hint}; it is ignored")
    if service:
        shown = sorted(service, key=len)[:_MAX_SHOWN]  # the shortest is PWB_PORT, which looks like an option
        more = f" and {len(service) - _MAX_SHOWN} more" if len(service) > _MAX_SHOWN else ""
        warn(f"environment: {', '.join(shown)}{more} describe a Service of Kubernetes and are ignored")
