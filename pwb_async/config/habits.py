"""Options of other servers that people type out of habit, and what PWB has in their place."""

from collections.abc import Mapping
from typing import Final

_DIRECTORY: Final = "the directory has no name: pwb DIRECTORY"

HABITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("-d", "--directory", "--dir", "--root", "-r", "--folder", "--path"), _DIRECTORY),
    **dict.fromkeys(("-p", "-P"), "did you mean '--port'?"),
    **dict.fromkeys(("-b", "--bind", "-a", "--address", "-l", "--listen", "-i", "--ip"), "did you mean '--host'?"),
    **dict.fromkeys(("-o", "--launch", "--browser"), "did you mean '--open'?"),
    **dict.fromkeys(("-q", "-s", "--silent"), "did you mean '--quiet'?"),
    **dict.fromkeys(("-v", "-V"), "did you mean '--version'?"),
    **dict.fromkeys(("-c", "-f"), "did you mean '--config'?"),
    **dict.fromkeys(("-w", "--watch", "--livereload", "--reload"), "did you mean '--live-reload'?"),
    **dict.fromkeys(("--single", "--single-page", "--page-fallback"), "did you mean '--spa'?"),
    **dict.fromkeys(("-S", "--ssl", "--tls", "--https"), "did you mean '--tls-self-signed'?"),
    **dict.fromkeys(("-C", "--cert", "--ssl-cert", "--certfile"), "did you mean '--tls-cert'?"),
    **dict.fromkeys(("-K", "--key", "--ssl-key", "--keyfile"), "did you mean '--tls-key'?"),
    **dict.fromkeys(("-g", "--gzip", "--brotli", "--compression"), "did you mean '--compress'?"),
    **dict.fromkeys(("-H", "--headers"), "did you mean '--header'?"),
    **dict.fromkeys(("--list", "--listing", "--autoindex", "--directory-listing"), "did you mean '--browse'?"),
    **dict.fromkeys(("--auth", "--password", "--basic-auth"), "did you mean '--htpasswd'?"),
    "--no-cache": "browsers ask each time unless --max-age is given; --cache off",
    "--cache-control": "did you mean '--max-age'?",
    **dict.fromkeys(("--log", "--log-file", "--accesslog"), "did you mean '--access-log'?"),
    **dict.fromkeys(("--show-hidden", "--hidden", "--ignore-hidden-files"), "did you mean '--dotfiles'?"),
}
"""What a message about such an option has in parentheses."""
