"""Imports that must happen before a process gives up the right to read the files of Python and its packages.

Under --sandbox, or as a user that may not read them, a module that is imported on first use cannot be found any more.
"""

import importlib
from typing import Final

from pwb_async.config.options import Options
from pwb_async.config.places import has_stores
from pwb_async.storage import coders

from .listings import LISTING_MODULES

_STANDARD_LIBRARY: Final = ("encodings.idna", "encodings.latin_1", "linecache", "traceback", "unicodedata")
"""Modules that Python itself imports when it first needs them."""
_REQUESTS: Final = ("hashlib", "ipaddress", "unicodedata")
"""Modules that the core imports for the first request that needs them."""
_RELOAD: Final = (
    "pwb_async.access.guard",
    "pwb_async.access.htpasswd",
    "pwb_async.access.trusted_proxies",
    "pwb_async.config.headers_file",
    "pwb_async.config.redirects_file",
    "pwb_async.config.rule_tables",
    "pwb_async.core.site.maintenance",
    "pwb_async.limits.limits",
    "pwb_async.core.site.rule_warnings",
    "pwb_async.network.local_names",
    "pwb_async.observability.json_format",
    "pwb_async.observability.log_selection",
    "pwb_async.observability.pretty_format",
    "pwb_async.runtime.startup_hints",
    "pwb_async.storage.slow_disk",
    "tomllib",
)
"""Modules that a reload imports if options or files of rules have become such that they are needed."""


_PROXY_PROTOCOL: Final = ("pwb_async.core.http1.proxy_protocol", "pwb_async.server.proxied_protocol")
_TLS: Final = ("pwb_async.server.tls_handshake",)
_MIN_RATE: Final = ("pwb_async.server.min_rate",)
_ADMIN: Final = ("pwb_async.server.admin_server", "pwb_async.server.measured_operation")
_HEALTH: Final = ("pwb_async.admin.health_guard", "pwb_async.server.measured_operation")
_STORES: Final = (
    "obstore", "obstore.store", "pwb_async.server.deferred_fetches", "pwb_async.storage.object_store.storage",
)  # fmt: skip
_HTTP2: Final = ("pwb_async.server.http2_prior_knowledge",)
_LIVE_RELOAD: Final = (
    "pwb_async.server.live_reload", "pwb_async.server.streaming_protocol", "watchfiles", "platform",
)  # fmt: skip
"""With what watchfiles imports late."""


def modules_of(options: Options, *, tls: bool, http2: bool, admin: bool) -> tuple[str, ...]:
    """The modules that a server imports because of its options, of which some wait for the first client."""
    return (
        *(LISTING_MODULES if any(each.browse for each in options.of_all_sites) else ()),
        *(_PROXY_PROTOCOL if options.proxy_protocol else ()),
        *(_TLS if tls else ()),
        *(_HTTP2 if http2 else ()),
        *(_LIVE_RELOAD if options.live_reload else ()),
        *(_MIN_RATE if options.min_send_rate else ()),
        *(_ADMIN if admin else ()),
        *(_HEALTH if options.health is not None else ()),
        *(_STORES if has_stores(options) else ()),
    )


def preload(*modules: str) -> None:
    """Import `modules`, and those that the standard library, the encoders and a reload import on first use."""
    for name in (*_STANDARD_LIBRARY, *_REQUESTS, *coders.MODULES, *_RELOAD, *modules):
        importlib.import_module(name)
