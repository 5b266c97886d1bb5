"""The sites of a server: of each its directories, the files of rules in them, and the Site that is made of both.

Most servers have one site with one directory: then the storage is the disk itself, and the responder the Site itself.
"""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from pwb_async.config.options import Options
from pwb_async.config.places import is_store, places_of, root_path
from pwb_async.config.rules import Rules
from pwb_async.core.site.access import Guard
from pwb_async.core.site.lookup import Storage
from pwb_async.core.site.responder import Responder
from pwb_async.core.site.site import Site
from pwb_async.storage.disk import Disk
from pwb_async.storage.root import Listable

from .access_options import find_access, guard_storage
from .listings import with_listings
from .roots import open_root
from .rule_files import NAMES, RuleFiles, RuleFolder
from .site_options import explained, make_site

if TYPE_CHECKING:
    from pwb_async.access.guard import Access
    from pwb_async.access.htpasswd import Htpasswd
    from pwb_async.live_reload.events import ReloadEvents
    from pwb_async.observability.trace_events import TraceWriter
    from pwb_async.storage.object_store.storage import ObjectStorage


_INTERVAL: Final = 1.0
"""Seconds between two looks at files of rules and of users; fewer if --cache-ttl is less."""


class SiteParts(NamedTuple):
    """The classes of which sites are made, in whose place a program may have others that observe what they do."""

    site: Callable[..., Site] = Site
    disk: Callable[..., Disk] = Disk


PLAIN: Final = SiteParts()
"""The classes of a server."""


class _OpenSite(NamedTuple):
    options: Options
    roots: Sequence[Listable]
    storage: Storage
    rule_files: RuleFiles
    access: "Access | None"
    """Access control; None if nothing is refused."""

    def reload(self, *, log: bool) -> bool:
        """Read the files of rules and of users again; return whether any of them has changed."""
        changed = self.access is not None and self.access.reload(log=log)
        return self.rule_files.reload(log=log) or changed


class Sites:
    """The default site, and those for some hosts."""

    storage: Storage
    """The files of all sites."""
    on_change: Callable[[], object] | None = None
    """Called after rules or users have been read again that are others by now, by the thread that has read them."""

    def __init__(self, options: Options, old: "Sites | None" = None, parts: SiteParts = PLAIN) -> None:
        """old: those of the configuration before. parts: the classes of sites and disks.

        Raises OSError, with the directory as its filename, if one of them cannot be served; ConfigError.
        """
        self.access: Access | None = None if old is None else old.access
        """The access of a site that refuses something, for the next configuration; None if there was none yet."""
        self.live_reload: ReloadEvents | None = None if old is None else old.live_reload
        """The event stream of live reload; None without it."""
        if options.live_reload and self.live_reload is None:
            from .live_reload import make_events  # few servers have it

            self.live_reload = make_events()
        files: dict[str, Htpasswd] = {}
        served = [(place.directory, each.dotfiles) for each in options.of_all_sites for place in places_of(each)]
        stores = [] if old is None else old.object_stores
        self._sites: list[_OpenSite] = []
        for each in options.of_all_sites:
            access = find_access(each, self.access, files, served)
            roots, storage, rule_files = _open(each, access, parts.disk, stores)
            self.access = self.access or access
            if access is not None:
                storage = guard_storage(storage, each, access)
            self._sites.append(_OpenSite(each, roots, storage, rule_files, access))
        self._hosts, self._strict = tuple(site.hosts for site in options.sites), options.strict_hosts
        self._make = parts.site
        self._lock = threading.Lock()
        self._interval, self._next_check = min(_INTERVAL, options.cache_ttl), 0.0
        self.storage = self._sites[0].storage
        if self._hosts:
            from pwb_async.storage.site_storages import SiteStorages  # most servers have one site

            self.storage = SiteStorages([site.storage for site in self._sites])

    @property
    def rules(self) -> tuple[Rules, ...]:
        """The rules of each site, as they were read last."""
        return tuple(site.rule_files.rules for site in self._sites)

    @property
    def descriptors(self) -> list[int]:
        """The descriptors that are open between two lookups, such as that of an archive."""
        return [each for site in self._sites for root in site.roots for each in root.descriptors]

    @property
    def object_stores(self) -> "list[ObjectStorage]":
        """The roots that are in object stores."""
        if not any(is_store(place.directory) for site in self._sites for place in places_of(site.options)):
            return []
        from pwb_async.storage.object_store.storage import ObjectStorage  # imported already

        return [root for site in self._sites for root in site.roots if isinstance(root, ObjectStorage)]

    def load_rules(self) -> None:
        """Read the files of rules. Raises ConfigError."""
        for site in self._sites:
            site.rule_files.load()

    def is_due(self, now: float) -> bool:
        """Whether it is time to reload. now: seconds on a clock that never goes back."""
        return now >= self._next_check

    def reload(self, now: float, *, log: bool) -> None:
        """Read the files of rules and of users again, unless another thread does. After a mistake all stays as it was.

        log: whether mistakes and warnings are logged.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._next_check = now + self._interval
            changes = [site.reload(log=log) for site in self._sites]
        finally:
            self._lock.release()
        if any(changes) and self.on_change is not None:
            self.on_change()

    def make_responder(self, rules: Sequence[Rules], trace: "TraceWriter | None") -> Responder:
        """The Site, or several as one. rules: those of each site. trace: the timeline; None without --trace."""
        make = self._make
        if trace is not None:
            from pwb_async.observability.tracing import TracedSite

            make = partial(TracedSite, trace)
        sites = [_responder(site, each, make) for site, each in zip(self._sites, rules, strict=True)]
        if self.live_reload is not None:
            from .live_reload import with_live_pages

            sites = with_live_pages(self.live_reload, sites, [site.options for site in self._sites])
        if not self._hosts:
            return sites[0]
        from pwb_async.core.site.virtual_hosts import HostTable, VirtualHosts

        return VirtualHosts(sites, HostTable(self._hosts, self._strict))

    def access_of(self, number: int) -> "Access | None":
        """The access control of a site, by its number; None if it refuses nothing."""
        return self._sites[number].access

    def guard(self, responder: Responder) -> Guard | None:
        """The guard of a responder that was made here; None if nothing is refused."""
        first = self._sites[0].access
        if not self._hosts:  # nothing may be imported here, as the process may have been sandboxed meanwhile
            return None if first is None else first.guard(responder)
        if self.access is None:
            return None
        from pwb_async.core.site.virtual_hosts import VirtualHosts  # which make_responder() has imported

        sites = responder.sites if isinstance(responder, VirtualHosts) else [responder]
        guards = [
            None if site.access is None else site.access.guard(each)
            for site, each in zip(self._sites, sites, strict=True)
        ]
        return responder.guard(guards) if isinstance(responder, VirtualHosts) else guards[0]


def _responder(site: _OpenSite, rules: Rules, make: Callable[..., Site]) -> Responder:
    options = site.options
    responder: Responder = make_site(options, rules, None if site.access is None else site.access.rules, make)
    if options.maintenance:
        from pwb_async.core.site.maintenance import Maintenance

        responder = Maintenance(responder, root_path(options))
    return explained(responder, options, rules) if options.explain_fields else responder


def _open(
    options: Options, access: "Access | None", make: Callable[..., Disk], stores: "Sequence[ObjectStorage]"
) -> tuple[Sequence[Listable], Storage, RuleFiles]:
    """The roots of a site, its files, and its rules."""
    places = places_of(options)
    disks = [open_root(place.directory, options, make, stores) for place in places]
    storages: list[Storage] = with_listings(disks, places, options, access) if options.browse else [*disks]
    storage = storages[0]
    if len(disks) > 1 or places[0].path:
        from pwb_async.storage.mounts import Mount, Mounts  # most sites have one directory

        storage = Mounts([Mount(place.path, each) for place, each in zip(places, storages, strict=True)])
    rule_files = RuleFiles(
        storage,
        [RuleFolder(disk, place.directory, place.path) for place, disk in zip(places, disks, strict=True)],
        options.rules,
        names=NAMES if options.site_rules else (),
        indexes=tuple(map(os.fsencode, options.index)),
        dotfiles=options.dotfiles,
        looks_up=not any(is_store(place.directory) for place in places),
    )
    return disks, storage, rule_files
