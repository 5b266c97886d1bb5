"""Profiles: named sets of options, which --profile chooses. Any other source of an option overrides a profile."""

from collections.abc import Mapping
from typing import Any, Final

LOCAL: Final = "local"
"""The value of --allowed-host that stands for the names and addresses of this machine.

A page of any site can have a browser send requests to an address of this machine or its network, under a name of its
own that leads there (DNS rebinding). A development server is what that is tried on.
"""

PROFILES: Final[Mapping[str, Mapping[str, Any]]] = {
    "dev": {
        "allowed_host": (LOCAL,),
        "browse": True,
        "cache": 0,  # a file is what it is now, not what it was within --cache-ttl
        "immutable": False,
        "live_reload": True,
        "port_fallback": True,
        "zip_downloads": False,
    },
    "share": {
        "allowed_host": (LOCAL,),
        "browse": True,
        "host": "0.0.0.0",  # noqa: S104
        "port_fallback": True,
        "qr": True,
        "security_headers": "basic",
        "zip_downloads": True,
    },
    "production": {
        "browse": False,
        "port_fallback": False,
        "security_headers": "basic",
        "workers": 0,
    },
}
"""The options of each profile, by their names in Options.

dev: for writing a site: caches ask each time, and folders without an index are listed. share: for people in the same
network, with a QR code of the address. production: for a server that the Internet reaches, itself or behind a proxy.
"""
