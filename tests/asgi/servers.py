"""The servers of other projects in which the suite runs an application of PWB, and what they do not let through."""

import tomllib
from pathlib import Path
from typing import Final, NamedTuple

from tests.conformance.designs import Design

NAMES: Final = ("uvicorn-httptools", "uvicorn-h11", "hypercorn", "granian")
"""The servers of ASGI."""
SERVERS: Final = tuple(Design(name, ("tests.asgi.run", name)) for name in (*NAMES, "gunicorn"))
"""Those of ASGI, and one of WSGI."""

OTHERS_ERRORS: Final = "^"
"""All lines of standard error: servers have warnings and tracebacks of their own. What the application raises is seen
in the response, which is then 500."""


class Difference(NamedTuple):
    """Rows whose responses differ in some servers, whatever the application does."""

    reason: str
    rows: list[str]
    """Their ids."""
    instead: dict[str, str]
    """The responses, by the names of servers: "200" for one of the application, "400 of the server", or "nothing"."""

    def responses(self, server: str) -> list[str] | None:
        """The responses in one of the servers; None if they do not differ there."""
        return next((text.split(", ") for names, text in self.instead.items() if server in names.split(", ")), None)


_TABLES: Final = tomllib.loads(Path(__file__).with_name("differences.toml").read_text())["difference"]
DIFFERENCES: Final = [Difference(**each) for each in _TABLES]
"""All of them."""


def difference(server: str, row: str) -> tuple[list[str], str] | None:
    """The responses of a row in a server, and the reason; None if they have to be those of pwb."""
    for each in DIFFERENCES:
        if row in each.rows and (responses := each.responses(server)) is not None:
            return responses, each.reason
    return None
