"""Cache-Control by path and status."""

import pytest

from pwb_async.core.site.cache_policy import IMMUTABLE, NO_CACHE, NO_STORE, CachePolicy, keep_private, of_error

NAMED = b"assets/index-BhRYpqRf.js"


@pytest.mark.parametrize(
    ("policy", "path", "target", "field"),
    [
        (CachePolicy(), b"a.js", b"a.js", NO_CACHE),
        (CachePolicy(), NAMED, NAMED, IMMUTABLE),
        (CachePolicy(60), NAMED, NAMED, IMMUTABLE),
        (CachePolicy(60), b"a.js", b"a.js", (b"Cache-Control", b"max-age=60")),
        (CachePolicy(0), b"a.js", b"a.js", (b"Cache-Control", b"max-age=0")),
        (CachePolicy(), NAMED, b"latest.js", NO_CACHE),
        (CachePolicy(), NAMED, b"assets/index-AbCdEf12.js", NO_CACHE),
        (CachePolicy(immutable=False), NAMED, NAMED, NO_CACHE),
    ],
)
def test_the_field_of_a_file(policy: CachePolicy, path: bytes, target: bytes, field: tuple[bytes, bytes]) -> None:
    assert policy.of_file(path, target) == field


def test_g4_an_error_is_never_kept() -> None:
    assert {status: of_error(status) for status in (404, 410, 416, 500, 503)} == {
        404: NO_CACHE,
        410: NO_CACHE,
        416: NO_CACHE,
        500: NO_STORE,
        503: NO_STORE,
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((b"no-cache",), b"private, no-cache"),
        ((b"max-age=31536000, immutable",), b"private, max-age=31536000, immutable"),
        ((b"Public, max-age=60, S-Maxage=600",), b"private, max-age=60"),
        ((b"private",), b"private"),
        ((b"no-store",), b"no-store"),
        ((b"public", b"max-age=60"), b"private, max-age=60"),
        ((), b"private"),
    ],
)
def test_what_no_shared_cache_may_keep(values: tuple[bytes, ...], expected: bytes) -> None:
    fields = ((b"ETag", b'"x"'), *((b"cache-control", value) for value in values))
    assert keep_private(fields) == ((b"ETag", b'"x"'), (b"Cache-Control", expected))
