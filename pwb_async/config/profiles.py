"""Profiles: named sets of options, which --profile chooses. Any other source of an option overrides a profile."""

from collections.abc import Mapping
from typing import Any, Final

LOCAL: Final = "local"
"""The value of --allowed-host that stands for the names and addresses of this machine."""

PROFILES: Final[Mapping[str | None, Mapping[str, Any]]] = {}
"""The options of each profile."""
