"""The rules of a site as one value, wherever they were written."""

from typing import NamedTuple

from pwb_async.core.site.access import AccessRule
from pwb_async.core.site.header_rules import HeaderRule
from pwb_async.core.site.limit_rules import LimitRule
from pwb_async.core.site.redirect_rules import RedirectRule


class Rules(NamedTuple):
    """Rules, in the order in which they are asked."""

    headers: tuple[HeaderRule, ...] = ()
    redirects: tuple[RedirectRule, ...] = ()
    """Redirects and rewrites."""
    warnings: tuple[str, ...] = ()
    """Lines about what is probably not meant, each of which begins with its place."""
    access: tuple[AccessRule, ...] = ()
    """The access rules, which only the TOML file has."""
    limits: tuple[LimitRule, ...] = ()
    """The limits by path, which only the TOML file has, too."""
