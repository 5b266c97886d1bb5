"""The options of both programs, each declared once, as a field of `Options`.

To add an option, add a field, here or in one of the classes that Options is made of: its topic, default, type of value
and help. The command line, the environment, the TOML file, --help and docs/options.md are made from these declarations.
"""

from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple

from pwb_async.output.printing import printable

from .declarations import Declaration, Topic, option
from .limit_options import LimitOptions
from .live_reload_options import LiveReloadOptions
from .logging_options import LoggingOptions
from .mount_points import MountPoint
from .operation_options import OperationOptions
from .option_types import (
    ADDRESS,
    AGE,
    CHARSET,
    DELAY,
    ETAG,
    FILE_MODE,
    GROUP,
    HEADER,
    HOST_NAME,
    LOOP,
    MODE,
    MOUNT,
    NAME,
    NATIVE_LOOP,
    NETWORK,
    ORIGIN,
    PATH,
    PORT,
    PROXY,
    SECURITY,
    SWITCH,
    TRIGGER,
    TYPE,
    URL_PATH,
    USER,
    WORKERS,
)
from .parsers import Delay, HeaderField, TypeRule
from .rate_options import RateOptions
from .rules import Rules
from .storage_options import StorageOptions
from .terminal_options import TerminalOptions
from .tls_options import TLSOptions


class ConfigError(ValueError):
    """An option is wrong. Its str is one printable line: where the value was found, and what is wrong with it."""

    def __init__(self, line: str) -> None:
        super().__init__(printable(line))


@dataclass(frozen=True, kw_only=True, repr=False)  # a repr of 100 values would cost a start 0.4 ms
class Options(
    TLSOptions,
    LiveReloadOptions,
    TerminalOptions,
    RateOptions,
    LimitOptions,
    LoggingOptions,
    OperationOptions,
    StorageOptions,
):
    """The values of all options. Times are in seconds, sizes in bytes; 0 and None mean what the help says of them.

    Only read_options() checks values; Options(port=0) takes what it is given.
    """

    root: str = option(
        Topic.SITE,
        "static",
        PATH,
        "Directory, archive (.zip, .whl, .tar) or object store (s3://bucket/prefix) to serve.",
        positional=True,
    )
    prefix: str = option(Topic.SITE, "/", URL_PATH, "Path of URLs at which ROOT is served.")
    mount: tuple[MountPoint, ...] = option(
        Topic.SITE, (), MOUNT, "Another directory to serve, at this path of URLs; repeatable."
    )
    strict_hosts: bool = option(
        Topic.SITE, False, SWITCH, "Refuse requests for hosts that no [[sites]] names, with 421."
    )
    index: tuple[str, ...] = option(
        Topic.SITE, ("index.html",), NAME, "File that is served for its directory; repeatable."
    )
    dotfiles: bool = option(
        Topic.SITE, False, SWITCH, "Serve names that begin with a dot, such as .env; without it, only /.well-known/."
    )
    error_pages: bool = option(
        Topic.SITE, True, SWITCH, "Send the nearest 404.html, 403.html, 50x.html; JSON to clients that prefer it."
    )
    spa: bool = option(
        Topic.SITE,
        False,
        SWITCH,
        "Send /index.html for navigations to what is missing, as applications with routes need.",
        needs="index",
    )
    clean_urls: bool = option(Topic.SITE, False, SWITCH, "Serve about.html as /about, and redirect /about.html there.")
    etag: str = option(Topic.SITE, "auto", ETAG, "What the entity tags of large files are made of (see below).")
    max_age: int | None = option(Topic.SITE, None, AGE, "Send Cache-Control: max-age (if not given: no-cache).")
    immutable: bool = option(
        Topic.SITE,
        True,
        SWITCH,
        "Let caches keep names with a build tool's fingerprint, such as app-BhRYpqRf.js, for a year.",
    )
    relative_redirects: bool = option(
        Topic.SITE, False, SWITCH, "Redirect to ./name/, for a proxy that adds a path prefix."
    )
    type: tuple[TypeRule, ...] = option(Topic.SITE, (), TYPE, "Media type of files (see below); repeatable.")
    charset: str | None = option(
        Topic.SITE, "utf-8", CHARSET, "Charset of text types that name none themselves; off: send none."
    )
    serve_encoded: bool = option(
        Topic.SITE,
        False,
        SWITCH,
        "Send x.js.br, x.js.gz and x.js.zst with Content-Encoding and the type of x.js (see below).",
    )
    precompressed: bool = option(
        Topic.SITE,
        True,
        SWITCH,
        "Send app.js.br, app.js.zst or app.js.gz in place of app.js to clients that accept that.",
    )
    compress: bool = option(
        Topic.SITE, True, SWITCH, "Compress text and the like from 256 B to 10 MiB for clients that accept that."
    )
    browse: bool = option(Topic.SITE, False, SWITCH, "List directories that have no index file.")
    listing_template: str | None = option(
        Topic.SITE, None, PATH, "Jinja2 template of listings in place of PWB's own.", needs="browse"
    )
    zip_downloads: bool = option(
        Topic.SITE, False, SWITCH, "Let directories that are listed be downloaded as ZIP archives.", needs="browse"
    )
    server_version: bool = option(Topic.SITE, False, SWITCH, "Send the version in the field Server.")

    site_rules: bool = option(Topic.FIELDS, True, SWITCH, "Read the files _headers and _redirects in ROOT.")
    header: tuple[HeaderField, ...] = option(
        Topic.FIELDS, (), HEADER, "Field of all responses, such as 'Referrer-Policy: no-referrer'; repeatable."
    )
    cors: tuple[str, ...] = option(
        Topic.FIELDS,
        (),
        ORIGIN,
        "Let scripts of this origin read responses, such as https://a.example; *: of any; repeatable.",
    )
    security_headers: str | None = option(
        Topic.FIELDS, None, SECURITY, "Send fields that make browsers stricter (see below)."
    )
    cross_origin_isolated: bool = option(
        Topic.FIELDS, False, SWITCH, "Send the fields that SharedArrayBuffer needs, as for threads of WebAssembly."
    )

    explain_fields: bool = option(
        Topic.FIELDS,
        False,
        SWITCH,
        "Send Server-Timing and Cache-Status with the rule and the file of a response; for tests only.",
        program="pwb",
    )

    htpasswd: str | None = option(
        Topic.ACCESS, None, PATH, "Ask for a password; users and hashes are in this file, as htpasswd -B makes it."
    )
    allow: tuple[str, ...] = option(
        Topic.ACCESS, (), NETWORK, "Admit only clients of this network, such as 10.0.0.0/8; repeatable."
    )
    deny: tuple[str, ...] = option(
        Topic.ACCESS, (), NETWORK, "Refuse clients of this network, even if --allow names it; repeatable."
    )
    allowed_host: tuple[str, ...] = option(
        Topic.ACCESS,
        (),
        HOST_NAME,
        "Serve only requests for this host, against DNS rebinding; local: for this machine's names and addresses; "
        "repeatable.",
    )

    maintenance: bool = option(
        Topic.ACCESS, False, SWITCH, "Send 503 in response to every request, with 503.html of ROOT if it is there."
    )
    trusted_proxy: tuple[str, ...] = option(
        Topic.ACCESS,
        (),
        PROXY,
        "Network of proxies that name the client in Forwarded or X-Forwarded-For; unix: those on a Unix socket; "
        "repeatable.",
    )

    proxy_protocol: bool = option(
        Topic.ACCESS,
        False,
        SWITCH,
        "Demand a header of the PROXY protocol, version 1 or 2, of each connection; others are closed.",
        needs="trusted_proxy",
    )

    host: str = option(Topic.LISTENING, "127.0.0.1", ADDRESS, "Address or host name to listen on.")
    port: int = option(
        Topic.LISTENING,
        8888,
        PORT,
        "Port to listen on; 0: any free port. PORT in the environment sets it, too.",
        excluded_by="unix",
    )
    port_fallback: bool = option(
        Topic.LISTENING,
        False,
        SWITCH,
        "Listen on the next free port if the port is in use.",
        program="pwb",
        excluded_by="unix",
    )
    unix: str | None = option(Topic.LISTENING, None, PATH, "Listen on this Unix socket instead.")
    unix_mode: str | None = option(
        Topic.LISTENING,
        None,
        FILE_MODE,
        "Mode of the Unix socket: three octal digits (no special bits), in TOML a string "
        'such as "660" (default: by the umask).',
        needs="unix",
    )
    unix_group: str | None = option(Topic.LISTENING, None, GROUP, "Group of the Unix socket.", needs="unix")

    http2: bool | None = option(
        Topic.LISTENING,
        None,
        SWITCH,
        "Speak HTTP/2, too. Without TLS, only where this is given, with clients that begin with it (prior knowledge).",
        program="pwb",
    )

    workers: int = option(
        Topic.PROCESS, 1, WORKERS, "Serving processes; auto: one for each processor that may be used.", program="pwb"
    )
    loop: str = option(Topic.PROCESS, NATIVE_LOOP, LOOP, "Event loop.", program="pwb")
    user: str | None = option(
        Topic.PROCESS, None, USER, "User to become once sockets and logs are open; only root can."
    )
    sandbox: bool = option(Topic.PROCESS, False, SWITCH, "Restrict the process to reading ROOT, with Landlock.")

    mode: str | None = option(Topic.DESIGNS, None, MODE, "Design of the server.", program="pwb-legacy")
    trigger: str = option(
        Topic.DESIGNS,
        "edge",
        TRIGGER,
        "When epoll reports a socket to --mode epoll: once for each change (edge), in every round in which it is ready "
        "(level), or once each time it is asked for (oneshot).",
        program="pwb-legacy",
        needs="mode=epoll",
    )
    delay_disk: tuple[Delay, ...] = option(Topic.DESIGNS, (), DELAY, "Slow the disk down (see below); repeatable.")

    rules: Rules = field(default=Rules())
    """The rules of the TOML file, in which they have tables; no option sets them."""
    sites: tuple["SiteOptions", ...] = field(default=())
    """The sites of the TOML file, in which they have tables, too; the other options are those of the default site."""
    config_file: str = field(default="", compare=False)
    """The absolute path of the TOML file, which is never served; "" if none was read."""

    @property
    def of_all_sites(self) -> "tuple[Options, ...]":
        """The options of each site, the default one first."""
        return (self, *(site.options for site in self.sites))

    @property
    def htpasswd_files(self) -> tuple[str, ...]:
        """The files of users that options and rules name, each once."""
        named = (self.htpasswd, *(rule.htpasswd for rule in self.rules.access))
        return tuple(dict.fromkeys(path for path in named if path))


class SiteOptions(NamedTuple):
    """A site for some hosts."""

    hosts: tuple[bytes, ...]
    """The names in lower case, without a port or a dot at the end; "*." in front stands for any further names."""
    options: Options
    """All options as they are for this site."""


_declarations = (each.metadata["declaration"]._replace(name=each.name) for each in fields(Options) if each.metadata)
DECLARATIONS: Final[dict[str, Declaration]] = {
    each.name: each for each in sorted(_declarations, key=lambda each: list(Topic).index(each.topic))
}
"""The declaration of each option by its name, topic by topic, and in each in the order of the fields."""
