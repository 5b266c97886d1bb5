"""The options of memory, disks and object stores, a part of those that options.py has."""

from dataclasses import dataclass

from .declarations import Topic, option
from .option_types import BYTES, BYTES_OR_OFF, PATH, SECONDS, SECONDS_OR_0, SWITCH


@dataclass(frozen=True, kw_only=True, repr=False)
class StorageOptions:
    """The options of what is kept in memory, and of how long a disk or an object store may take."""

    cache: int = option(
        Topic.STORAGE, 64 << 20, BYTES_OR_OFF, "Memory for prepared responses of small files.", program="pwb"
    )
    cache_ttl: float = option(
        Topic.STORAGE, 1.0, SECONDS, "Time for which they are sent without a look at the file.", program="pwb"
    )
    sendfile: bool = option(
        Topic.STORAGE,
        True,
        SWITCH,
        "Send large files with sendfile(2). Switch it off for shared folders of VirtualBox, where it sends old "
        "content.",
        program="pwb",
    )
    disk_timeout: float = option(
        Topic.STORAGE, 10.0, SECONDS, "Time that the disk may take; then the response is 503.", program="pwb"
    )
    store_ttl: float = option(
        Topic.STORAGE, 10.0, SECONDS, "Time for which an object store is not asked again about a name.", program="pwb"
    )
    stale_if_error: float = option(
        Topic.STORAGE,
        3600.0,
        SECONDS_OR_0,
        "Further time for which a name is served that is known, if the object store fails.",
        program="pwb",
    )
    store_cache: str | None = option(
        Topic.STORAGE, None, PATH, "Directory in which content of object stores is kept.", program="pwb"
    )
    store_cache_size: int = option(Topic.STORAGE, 1 << 30, BYTES, "Most bytes that are kept there.", program="pwb")
