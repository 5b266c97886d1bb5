"""What the redirects and rewrites of a site make of a lookup, before the disk is asked."""

from dataclasses import replace

from .lookup import Lookup, file_candidates
from .redirect_rules import Redirect, RedirectRules, Rewrite
from .servable import is_servable


def with_rule(lookup: Lookup, rules: RedirectRules, indexes: tuple[bytes, ...], dotfiles: bool) -> Lookup | Redirect:
    """The redirect of a forced rule; otherwise the lookup with the file or the redirect of a rule.

    A rule that is not forced is for the case that nothing is found; a forced one leaves its own file alone.
    """
    forced = rules.forced(lookup.request)
    if isinstance(forced, Redirect):
        return forced
    rule = forced or rules.otherwise(lookup.request)
    lookup = replace(
        lookup,
        candidates=() if forced else lookup.candidates,
        rule=rule,
        listing=None if isinstance(rule, Redirect) else lookup.listing,
        cacheable=lookup.cacheable and not rules.depend_on_query(lookup.request),
    )
    if isinstance(rule, Rewrite) and is_servable(rule.segments, dotfiles):
        path = b"/".join(rule.segments)
        return lookup.with_files(file_candidates(path, rule.trailing_slash, indexes, rule.status))
    return lookup
