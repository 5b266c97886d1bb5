"""The banner that a person sees when a server has started: its addresses, what it serves, and what is on."""

import os
from collections.abc import Iterator, Mapping

from pwb_async.config.options import Options
from pwb_async.config.places import all_directories
from pwb_async.network.listeners import url
from pwb_async.output.colours import BOLD, CYAN, DIM, GREEN, Style
from pwb_async.output.printing import printable
from pwb_async.output.width import pad, shorten, width
from pwb_async.runtime.context import ServerContext
from pwb_async.version import __version__

from .addresses import Addresses

_INDENT = "  "
_GAP = 2
"""Columns between a label and its value."""


def banner(
    context: ServerContext,
    addresses: Addresses,
    words: Mapping[str, str],
    style: Style,
    columns: int,
    keys: str,
) -> Iterator[str]:
    """The lines of the banner. columns: those of the terminal. keys: what ends it, or the keys that control it."""
    options = context.options
    rows = [*_rows(context, addresses, words), (words["keys"], keys, DIM)]
    label_columns = max(width(label) for label, _, _ in rows) + _GAP
    left = columns - len(_INDENT) - label_columns - 1
    title = f"PWB {__version__}"
    root = shorten(_root(options), max(20, left - len(title)))
    more = len(all_directories(options)) - 1
    serves = words["serves"].format(root=root) + (words["more"].format(count=more) if more else "")
    yield ""
    yield f"{_INDENT}{style(title, BOLD, GREEN)}  {serves}"
    yield ""
    for label, value, colour in rows:
        for number, line in enumerate(_wrap(value, words["comma"], left)):
            shown = style(pad(label if number == 0 else "", label_columns), BOLD)
            yield f"{_INDENT}{shown}{style(line, colour) if colour else line}"
    yield ""


def _rows(context: ServerContext, addresses: Addresses, words: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The label, the value and the colour of each row."""
    for each in addresses.local:
        yield words["local"], each, CYAN
    for each in addresses.network:
        yield words["network"], each, CYAN
    for path in addresses.sockets:
        yield words["socket"], printable(path), CYAN
    if addresses.local and not addresses.network:
        yield words["network"], words["no network" if addresses.exposed else "only here"], DIM
    if context.redirect_sockets:
        ports = words["comma"].join(f":{sock.getsockname()[1]}" for sock in context.redirect_sockets)
        yield words["redirects"], f"{ports} -> https", ""
    for sock in context.admin_sockets:
        yield words["admin"], printable(url(sock)), CYAN
    if context.options.profile:
        yield words["profile"], context.options.profile, ""
    if names := [*_features(context, words)]:
        yield words["on"], words["comma"].join(names), ""


def _features(context: ServerContext, words: Mapping[str, str]) -> Iterator[str]:
    """What is on of what a person may have switched on."""
    options = context.options
    if context.tls is not None:
        yield words["https"]
    if context.speaks_http2:
        yield words["http2"]
    for name in ("live_reload", "compress", "precompressed", "browse", "zip_downloads", "spa", "clean_urls"):
        if getattr(options, name, False):
            yield words[name]
    if any(rules.headers or rules.redirects or rules.access for rules in context.rules):
        yield words["rules"]
    if options.htpasswd_files:
        yield words["htpasswd"]
    if options.allow or options.deny:
        yield words["addresses"]
    for name in ("allowed_host", "cors", "security_headers", "dotfiles", "maintenance", "sandbox", "delay_disk"):
        if getattr(options, name):
            yield words[name]
    if options.sites:
        yield words["sites"].format(count=len(options.sites))
    if context.workers > 1:
        yield words["workers"].format(count=context.workers)


def _root(options: Options) -> str:
    """The directory that is served, with ~ for the user's own."""
    path = os.path.abspath(options.root)
    home = os.path.expanduser("~")
    if home != "/" and (path == home or path.startswith(home + "/")):
        path = f"~{path[len(home) :]}"
    return printable(path)


def _wrap(text: str, comma: str, columns: int) -> list[str]:
    """A text in lines of at most so many columns, broken after a comma; a longer word stays whole."""
    lines = [""]
    for part in text.split(comma):
        joined = f"{lines[-1]}{comma}{part}" if lines[-1] else part
        if lines[-1] and width(joined) > columns:
            lines[-1] += comma.rstrip()
            lines.append(part)
        else:
            lines[-1] = joined
    return lines
