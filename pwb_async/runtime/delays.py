"""The delays of --delay-disk."""

import logging
from typing import Final

from pwb_async.config.options import Options
from pwb_async.core.site.lookup import Storage

logger: Final = logging.getLogger("pwb")


def slowed(storage: Storage, options: Options) -> Storage:
    """The storage with the delays that the options name, if there are any."""
    if not options.delay_disk:
        return storage
    from pwb_async.storage.slow_disk import SlowDisk

    logger.warning("the disk is slowed down on purpose, by %s", delays(options))
    return SlowDisk(storage, options.delay_disk)


def delays(options: Options) -> str:
    """How much the disk is slowed down, with units."""
    return ", ".join(map(str, options.delay_disk))
