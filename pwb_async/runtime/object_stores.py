"""Roots in object stores, as the options describe them."""

import errno
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from pwb_async.config.options import Options
from pwb_async.storage.deferred import Fetch, FetchError
from pwb_async.storage.object_store.client import ENDPOINTS, StoreClient
from pwb_async.storage.object_store.slices import SliceDirectory, Slices
from pwb_async.storage.object_store.storage import ObjectStorage

logger: Final = logging.getLogger("pwb")
_FETCH_PROCESS: Final = "pwb_async.server.fetch_process"
_START: Final = 10
"""Seconds that this process may take beside its fetches."""
_SETTINGS: Final = (
    "disk_timeout",
    "store_ttl",
    "stale_if_error",
    "store_cache",
    "store_cache_size",
    "etag",
    "precompressed",
)
"""The options that a storage depends on."""
_CREDENTIALS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""The variables of which one is set unless a role of the machine is used."""
_RULES: Final = (b"_headers", b"_redirects")
_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def open_store(url: str, options: Options, old: Sequence[ObjectStorage] = ()) -> ObjectStorage:
    """The storage of a bucket and prefix. Raises OSError if it cannot be served, or does not answer.

    old: those of the configuration before. One with the same settings stays in use, with all that it has kept.
    """
    parts = urlsplit(url)
    if not parts.netloc:
        raise OSError(errno.EINVAL, "it names no bucket, as s3://bucket/prefix does")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise OSError(errno.EINVAL, "credentials and settings belong to the environment, such as AWS_ACCESS_KEY_ID")
    if any(name in ("", ".", "..") for name in url.rstrip("/").split("/")[3:]):
        raise OSError(errno.EINVAL, "its prefix has an empty name, or . or ..")
    if options.sandbox:
        raise OSError(errno.EPERM, "--sandbox forbids connections, so that no object store can be asked")
    if find_spec("obstore") is None:
        raise OSError(errno.ENOPKG, "obstore is not installed: pip install '.[s3]' in a checkout of PWB")
    settings = url, *(getattr(options, name) for name in _SETTINGS)
    storage = next((each for each in old if each.settings == settings), None) or _make(url, options)
    storage.settings = settings
    try:
        if not storage.begin(_RULES if options.site_rules else ()):
            logger.warning("%s: there is no object with this prefix", url)
    except FetchError as error:
        raise OSError(errno.EIO, f"{error}{_hint(url)}") from None
    return storage


def _hint(url: str) -> str:
    """What may be the reason that a store cannot be asked: without credentials obstore asks the machine for a role."""
    for name in ENDPOINTS:
        if not os.environ.get(name, "http://").startswith(("http://", "https://")):
            return f"; {name} does not begin with https:// or http://"
    if not url.startswith("s3"):
        return ""
    if not any(name in os.environ for name in _CREDENTIALS):
        return "; AWS_ACCESS_KEY_ID is not set"
    if "AWS_ACCESS_KEY_ID" in os.environ and "AWS_SECRET_ACCESS_KEY" not in os.environ:
        return "; AWS_SECRET_ACCESS_KEY is not set"
    return ""


def _make(url: str, options: Options) -> ObjectStorage:
    try:
        directory = SliceDirectory(options.store_cache, options.store_cache_size) if options.store_cache else None
    except OSError as error:
        raise OSError(errno.EIO, f"--store-cache {options.store_cache}: {error.strerror}") from None
    return ObjectStorage(
        StoreClient(url.rstrip("/"), options.disk_timeout),
        run_in_process,
        Slices(directory),
        ttl=options.store_ttl,
        stale_if_error=options.stale_if_error,
        etag=options.etag,
        precompressed=options.precompressed,
    )


def run_in_process(client: StoreClient, fetches: Sequence[Fetch], timeout: float) -> list[object]:
    """Make fetches in a process of their own: for each its result, or a FetchError. It waits for them.

    timeout: seconds for the fetches.
    """
    calls = [(each.method, each.arguments) for each in fetches]
    path = os.pathsep.join(filter(None, (_PACKAGE, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-m", _FETCH_PROCESS],  # -P: no module of the working directory's
            input=pickle.dumps((client.url, timeout, calls)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            timeout=timeout + _START,
            check=True,
        )
        results: list[object] = pickle.loads(done.stdout)  # noqa: S301  # of our own process
    except (OSError, subprocess.SubprocessError, pickle.UnpicklingError, EOFError):
        return [FetchError("the process that asks the object store has failed")] * len(calls)
    return results
