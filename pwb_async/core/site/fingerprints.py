"""File names with the fingerprint of a build tool: a new content gets a new name, so a cache may keep it for a year.

A name that is taken for one by mistake costs its visitors a year with an old file, and one that is missed costs a 304.
So in doubt a name has none: dates, versions, sizes and words are told from hashes, and documents never have one. The
table of names that this was made with, of 40 build tools and near misses, is tests/core/site/fingerprints.tsv.

The regular expressions are compiled when they are first needed, which spares a start half a millisecond.
"""

import re
from functools import lru_cache
from typing import Final

FOLDERS: Final = rb"/_(?:next/static|app/immutable|astro|nuxt)/"
"""Folders in which Next, SvelteKit, Astro and Nuxt write nothing but files whose names change with their content."""
EXCEPTIONS: Final = rb"/_nuxt/builds/[^/]*\Z"
"""What changes in place in these folders."""
EXTENSIONS: Final = frozenset(
    b"css js mjs cjs wasm avif bmp gif ico jpeg jpg png svg webp eot otf ttf woff woff2 aac flac m4a m4v mp3 mp4 oga "
    b"ogg ogv opus wav webm".split()
)
"""Extensions of files that pages refer to. Documents, feeds, manifests and archives have addresses of their own."""
DECORATIONS: Final = rb"(?:\.(?:min|chunk|lean|iframe|bundle))+\Z"
"""What may stand between a fingerprint and the extension."""
HEX: Final = rb"(?s)(?:.*[.-]|.*_hu_)(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,128}"
"""webpack, Rsbuild, Parcel, Hugo, Django, Rails, Gatsby, mkdocs-material: hexadecimal with a digit and a letter."""
ONLY_HEX: Final = rb"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,128}"
"""The media files of webpack: nothing but a hash, which is then not a word by its length."""
BASE32: Final = rb"(?s).*[.-](?![A-Z]*[0-9]*\Z)[A-Z2-7]{8}"
"""esbuild and Angular: eight of A-Z and 2-7, other than a word with a number behind it."""
BASE32_CONSONANTS: Final = rb"(?s).*[.-](?=[A-Z2-7]*[B-DF-HJ-NP-TV-Z]{4})[A-Z2-7]{8}"
"""The same without a digit that shows it, but with four consonants in a row, as hardly a word has them."""
BASE64URL: Final = rb"(?s).*[.-]((?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z0-9_-]{8})"
"""Vite, Rollup, VitePress, React Router: eight of base64url, in capitals and small letters."""
WORDS: Final = rb"(?:[A-Z]?[a-z]+)*[0-9]*(?:[_-](?:[A-Z]?[a-z]+)*[0-9]*)*"
"""Words in camel case, each with a number behind it or not: HomePage, v2-Beta1."""

_CACHED: Final = 1024


@lru_cache(_CACHED)
def is_fingerprinted(path: bytes) -> bool:
    """Whether the last segment of a path beneath the root is certain to change when the content changes."""
    anchored = b"/" + path
    if re.search(FOLDERS, anchored):
        return not re.search(EXCEPTIONS, anchored)
    name = path.rpartition(b"/")[2].removesuffix(b".map")
    stem, dot, extension = name.rpartition(b".")
    if not dot or extension.lower() not in EXTENSIONS:
        return False
    stem = re.sub(DECORATIONS, b"", stem)
    if any(re.fullmatch(pattern, stem) for pattern in (HEX, ONLY_HEX, BASE32, BASE32_CONSONANTS)):
        return True
    match = re.fullmatch(BASE64URL, stem)
    return match is not None and not re.fullmatch(WORDS, match[1])
