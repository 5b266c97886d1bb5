"""A client of an object store: the few requests that a site needs, by obstore.

Its runtime does not survive a fork, so it is imported and used only in the process that serves, or in one that fetches
for another (server/fetch_process.py). The text of its errors may hold addresses with signatures, so only the status
code of a response is taken from it.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from os import environ
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pwb_async.core.site.listing_query import MAX_ENTRIES
from pwb_async.storage.deferred import FetchError, NoAnswerError

from .folders import Listing, list_folder
from .status import ObjectStatus, status_of

if TYPE_CHECKING:
    from obstore.store import ObjectStore

T = TypeVar("T")
SLICE: Final = 1 << 20
"""Bytes of a large object that are fetched and kept at once."""
UNCHANGED: Final = "unchanged"
"""What a conditional request has found."""
_RETRIES: Final = 2
"""Retries of a request that is answered with 5xx, or whose connection is lost."""
_CONNECT_TIMEOUT: Final = 3
_POOL_IDLE: Final = 10
"""Seconds for which an idle connection is kept. One that a failure has cut off unseen would cost a whole timeout."""
_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
ENDPOINTS: Final = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT",
    "AZURE_STORAGE_ENDPOINT",
    "AZURE_ENDPOINT",
)
"""The variables that name another address of the store; only one with http:// there is asked without TLS."""


class StoreClient:
    """A client of one bucket and prefix. Keys are those beneath the prefix."""

    def __init__(self, url: str, timeout: float) -> None:
        """url: such as s3://bucket/prefix. timeout: seconds for one request."""
        self.url, self.timeout = url, timeout
        self._store: ObjectStore | None = None

    async def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """Call a method by its name. Raises FetchError."""
        try:
            return await getattr(self, method)(*arguments)
        except FetchError:
            raise
        except Exception as error:
            raise failure_of(error) from None
        except BaseException as error:
            if type(error).__name__ == "PanicException":  # a fault of obstore, which is no Exception
                raise FetchError("obstore has a fault") from None
            raise

    async def get(self, key: str, known_etag: str) -> "tuple[ObjectStatus, bytes] | str | None":
        """An object with its first slice; UNCHANGED if it still has a known tag, None if there is none."""
        options: dict[str, Any] = {"range": (0, SLICE)}
        if known_etag:
            options["if_none_match"] = known_etag
        try:
            return await self._get(key, options)
        except FileNotFoundError:
            return None
        except Exception as error:
            if type(error).__name__ == "NotModifiedError":
                return UNCHANGED
            if code_of(error) != 416:  # an empty object has no range
                raise
        status = await self.head(key)
        return None if status is None else (status, b"")

    async def head(self, key: str) -> ObjectStatus | None:
        """An object without its content; None if there is none."""
        import obstore

        try:
            return status_of(await obstore.head_async(self._open(), key))
        except FileNotFoundError:
            return None

    async def get_slice(self, key: str, status: ObjectStatus, number: int) -> bytes | None:
        """A slice of an object; None if it is another one by now."""
        options: dict[str, Any] = {"range": (number * SLICE, min((number + 1) * SLICE, status.size))}
        if status.etag:
            options["if_match"] = status.etag
        try:
            found, data = await self._get(key, options)
        except Exception as error:
            if isinstance(error, FileNotFoundError) or type(error).__name__ == "PreconditionError":
                return None
            raise
        return data if found == status else None

    async def holds_any(self, prefix: str) -> bool:
        """Whether there is any object beneath a prefix."""
        import obstore

        stream = obstore.list(self._open(), prefix or None, chunk_size=1)
        try:
            async for objects in stream:
                if objects:
                    return True
        except Exception as error:
            if type(error).__name__ == "InvalidPathError":  # an object whose key obstore does not accept
                return True
            raise
        return False

    async def list_folder(self, prefix: str) -> Listing:
        """What is directly beneath a prefix; of more than MAX_ENTRIES entries only some, but more than that."""
        return await list_folder(self._open(), prefix, MAX_ENTRIES)

    async def _get(self, key: str, options: dict[str, Any]) -> tuple[ObjectStatus, bytes]:
        """An object, and the range of it that is asked for. A body that is cut off is fetched once more."""
        import obstore

        async def attempt() -> tuple[ObjectStatus, bytes]:
            result = await obstore.get_async(self._open(), key, options=options)  # type: ignore[arg-type]
            status, (start, end) = status_of(result.meta), options["range"]
            if result.range != (start, min(end, status.size)):
                raise FetchError("the object store sends another range than it was asked for")
            data = bytes(await result.bytes_async())
            if len(data) != min(end, status.size) - start:
                raise NoAnswerError("the object store has sent less than it promised")
            return status, data

        return await _twice(attempt)

    def _open(self) -> "ObjectStore":
        """The store, which is opened when it is first asked."""
        if self._store is None:
            from obstore.store import from_url

            self._store = from_url(
                self.url,
                client_options={
                    "timeout": timedelta(seconds=self.timeout),
                    "connect_timeout": timedelta(seconds=min(self.timeout, _CONNECT_TIMEOUT)),
                    "pool_idle_timeout": timedelta(seconds=_POOL_IDLE),
                    "allow_http": any(environ.get(name, "").startswith("http://") for name in ENDPOINTS),
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=self.timeout)},
            )
        return self._store


async def _twice(attempt: Callable[[], Awaitable[T]]) -> T:
    """The result of an attempt, or of a second one if a response was cut off."""
    try:
        return await attempt()
    except FileNotFoundError:
        raise
    except Exception as error:
        if type(error).__name__ not in ("GenericError", "NoAnswerError") or code_of(error):
            raise
    return await attempt()


def code_of(error: Exception) -> int:
    """The status code of the response that an error of obstore is about; 0 for none."""
    match = _STATUS.search(str(error))
    return int(match[1]) if match else 0


def failure_of(error: Exception) -> FetchError:
    """An error of obstore in words that hold no address and no credentials."""
    name, status, text = type(error).__name__, code_of(error), str(error)
    if "/latest/api/token" in text:  # of a machine's role, which is asked last
        return FetchError("there are no credentials for the object store")
    if name in ("PermissionDeniedError", "UnauthenticatedError") or status in (401, 403):
        return FetchError("the object store refuses the credentials, or there are none")
    if status == 404:
        return FetchError("the object store has no such bucket")
    if status:
        code = _CODE.search(text)
        return FetchError(f"the object store answers with {status}{f' ({code[1]})' if code else ''}")
    if "without LOCATION" in text:
        return FetchError("the object store redirects to another address: AWS_REGION may be wrong")
    if name == "InvalidPathError":
        return FetchError("the object store has a key there with an empty name, or with . or ..")
    if "non-partial" in text or "nvalid list response" in text:
        return FetchError("the object store gives an answer that is none of its protocol")
    if isinstance(error, ImportError):
        return FetchError("obstore is not installed")
    return NoAnswerError("the object store cannot be reached, or its answer was cut off")
