"""The site that the options describe."""

from collections.abc import Callable
from os import fsencode

from pwb_async.config.options import Options
from pwb_async.config.places import places_of
from pwb_async.config.rules import Rules
from pwb_async.core.site.access import AccessRules
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.cache_policy import CachePolicy
from pwb_async.core.site.coding_negotiation import CodingNegotiation
from pwb_async.core.site.cors import Cors
from pwb_async.core.site.header_rules import HeaderRule, HeaderRules
from pwb_async.core.site.listings import Browsing
from pwb_async.core.site.media_types import MediaTypes
from pwb_async.core.site.redirect_rules import RedirectRules
from pwb_async.core.site.responder import Responder
from pwb_async.core.site.security_fields import SecurityFields
from pwb_async.core.site.site import Site


def make_site(
    options: Options, rules: Rules, access: AccessRules | None = None, make: Callable[..., Site] = Site
) -> Site:
    """The site with these rules. access: the access rules. make: the class of the site."""
    return make(
        indexes=tuple(map(fsencode, options.index)),
        cache_policy=CachePolicy(options.max_age, immutable=options.immutable),
        max_ranges=options.max_ranges,
        relative_redirects=options.relative_redirects,
        types=media_types(options),
        dotfiles=options.dotfiles,
        browsing=Browsing(options.zip_downloads) if options.browse else None,
        error_pages=options.error_pages,
        clean_urls=options.clean_urls,
        spa=options.spa,
        roots=tuple(place.path for place in places_of(options)),
        redirects=RedirectRules(rules.redirects),
        negotiation=CodingNegotiation(options.precompressed, options.compress),
        added_fields=_added_fields(options, rules),
        access=access,
    )


def explained(site: Responder, options: Options, rules: Rules) -> Responder:
    """The site with --explain-fields."""
    from pwb_async.core.site.explained_fields import ExplainedFields  # most sites explain nothing

    redirects, headers = RedirectRules(rules.redirects), HeaderRules((*_always(options), *rules.headers))
    return ExplainedFields(site, redirects, headers, cached=bool(options.cache))


def media_types(options: Options) -> MediaTypes:
    """The media types of the site's files."""
    return MediaTypes(options.type, (options.charset or "").encode(), options.serve_encoded)


def _added_fields(options: Options, rules: Rules) -> AddedFields:
    """What is added to responses; to those over TLS Strict-Transport-Security, too, whatever has TLS."""
    if options.uses_tls:
        return _make_added_fields(options, rules, secure=True)
    reported = options.trusted_proxy or options.scheme_is_reported
    over_tls = _make_added_fields(options, rules, secure=True) if reported else None
    return _make_added_fields(options, rules, over_tls=over_tls or None)


def _make_added_fields(
    options: Options, rules: Rules, *, secure: bool = False, over_tls: AddedFields | None = None
) -> AddedFields:
    cors = Cors(origin.encode() for origin in options.cors) if options.cors else None
    security = None
    if options.security_headers or options.cross_origin_isolated:
        security = SecurityFields(
            options.security_headers,
            isolated=options.cross_origin_isolated,
            shared=bool(options.cors),
            secure=secure,
        )
    headers = HeaderRules((*_always(options), *rules.headers), secure=secure)
    return AddedFields(cors, security, headers, over_tls=over_tls)


def _always(options: Options) -> list[HeaderRule]:
    """The rules for all responses."""
    return [HeaderRule("--header", None, ((name, (value,)),)) for name, value in options.header]
