"""The listings that the options describe."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from pwb_async.config.options import ConfigError, Options
from pwb_async.config.places import Place
from pwb_async.core.site.lookup import Storage
from pwb_async.core.site.patterns import RESERVED
from pwb_async.storage.disk import Disk
from pwb_async.storage.root import Listable

from .site_options import media_types

if TYPE_CHECKING:
    from pwb_async.access.guard import Access
    from pwb_async.listing.page import ListingPage

LISTING_MODULES: Final = ("jinja2.debug", "pwb_async.listing.readme")
"""What a listing imports on first use."""


def with_listings(
    disks: Sequence[Listable], places: Sequence[Place], options: Options, access: "Access | None"
) -> list[Storage]:
    """The disks of a site, each at its place, with listings of their directories. Raises ConfigError."""
    if options.zip_downloads and not all(isinstance(disk, Disk) for disk in disks):
        raise ConfigError("--zip-downloads: only directories can be downloaded, not what is in an archive.")
    page = _make_page(options)
    from pwb_async.listing.storage import ListingStorage  # imported here, as is the page

    def is_hidden(disk: Listable, path: bytes) -> bool:
        """Whether what is at a path is left out: what is not served, and /.well-known/."""
        name = path.rpartition(b"/")[2]
        return (name.startswith(b".") and not options.dotfiles) or path.lower() in RESERVED or disk.hides(path)

    beyond = None if access is None else access.rules.beyond
    return [
        ListingStorage(disk, page, partial(is_hidden, disk), beyond, place.mounted(places), place.home_depth(places))
        for disk, place in zip(disks, places, strict=True)
    ]


def _make_page(options: Options) -> "ListingPage":
    try:  # imported here, since it takes a tenth of a second
        from pwb_async.listing.page import ListingPage, TemplateSyntaxError
    except ImportError as error:  # such as by a reload with --sandbox
        raise ConfigError(f"--browse cannot be switched on: {error}.") from None
    template = options.listing_template
    try:
        return ListingPage(media_types(options), template, options.zip_downloads)
    except TemplateSyntaxError as error:
        raise ConfigError(f"{template}, line {error.lineno}: {error.message}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{template}: it is not UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{template}: it cannot be read: {error.strerror}.") from None
    except Exception as error:  # whatever an expression of the template raises
        raise ConfigError(f"{template}: {error}.") from None
