"""A listing of a folder in an object store, where the caller waits for the store, as a server for WSGI does."""

from collections.abc import Sequence

from pwb_async.core.site.findings import Unavailable
from pwb_async.core.site.listing_query import ListingQuery
from pwb_async.core.site.lookup import NO_REQUEST, Candidate, EntryKind, Lookup
from pwb_async.core.site.media_types import STANDARD
from pwb_async.listing.page import ListingPage
from pwb_async.listing.storage import ListingStorage
from pwb_async.storage.deferred import Fetch, FetchError
from pwb_async.storage.object_store.client import StoreClient
from pwb_async.storage.object_store.slices import Slices
from pwb_async.storage.object_store.storage import ObjectStorage


def test_a_store_that_fails_while_it_is_listed() -> None:
    def run(client: StoreClient, fetches: Sequence[Fetch], timeout: float) -> list[object]:
        return [FetchError("it fails") if each.method == "list_folder" else True for each in fetches]

    store = ObjectStorage(StoreClient("s3://bucket", 1), run, Slices(), ttl=60, stale_if_error=0)
    listings = ListingStorage(store, ListingPage(STANDARD), lambda path: False)
    lookup = Lookup(NO_REQUEST, b"d/", (Candidate(b"d", EntryKind.DIRECTORY),), listing=ListingQuery())
    finding = listings.find(lookup)
    assert isinstance(finding, Unavailable)
    assert finding.detail == "it fails"
