"""Options in the environment: PWB_MAX_AGE and its like.

Other programs may put variables there that begin like ours, so a name that is no option is a warning and no error. And
Kubernetes describes each Service to every container: one called pwb by PWB_SERVICE_HOST and PWB_PORT=tcp://10.0.0.11:80
among others, one called pwb-docs by PWB_DOCS_PORT. Such variables are recognised by name and value, and ignored.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from pwb_async.output.printing import did_you_mean

PREFIX: Final = "PWB_"
CONFIG: Final = f"{PREFIX}CONFIG"
"""The variable that names the TOML file."""
_SERVICE: Final = re.compile(
    r"PWB_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_PORT: Final = re.compile(r"PWB_(?:[A-Z0-9_]+_)?PORT")
_URL: Final = re.compile(r"(?:tcp|udp|sctp)://.+:[0-9]+")
_SHOWN: Final = 3


def read(
    environ: Mapping[str, str], names: Collection[str], warn: Callable[[str], object]
) -> Iterator[tuple[str, str]]:
    """Name and text of each option that is set; one that is empty is not. names: of all options. warn: takes a line
    about what is ignored."""
    service = []
    for variable in sorted(variable for variable in environ if variable.startswith(PREFIX)):
        text, word = environ[variable], variable.removeprefix(PREFIX)
        if _SERVICE.fullmatch(variable) or (_PORT.fullmatch(variable) and _URL.fullmatch(text)):
            service.append(variable)
        elif word.isupper() and word.lower() in names:
            if text:
                yield word.lower(), text
        elif variable != CONFIG:
            hint = did_you_mean(word.lower(), names, lambda name: PREFIX + name.upper())
            warn(f"environment variable {variable}: no such option{hint}; it is ignored")
    if service:
        shown = sorted(service, key=len)[:_SHOWN]  # PWB_PORT, which looks like an option, is among them
        more = f" and {len(service) - _SHOWN} more" if len(service) > _SHOWN else ""
        warn(f"environment: {', '.join(shown)}{more} describe a Service of Kubernetes and are ignored")
