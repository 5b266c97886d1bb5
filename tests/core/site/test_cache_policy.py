"""Cache-Control by path and status."""

import pytest

from pwb_async.core.site.cache_policy import IMMUTABLE, NO_CACHE, NO_STORE, CachePolicy, of_error

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
