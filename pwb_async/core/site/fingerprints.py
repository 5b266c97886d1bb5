"""File names with the fingerprint of a build tool: a new content gets a new name, so a cache may keep it for a year.

A name that is taken for one by mistake costs its visitors a year with an old file, and one that is missed costs a 304.
So in doubt a name has none: dates, versions, sizes and words are told from hashes, and documents never have one. The
table of names that this was made with, of 40 build tools and near misses, is tests/core/site/fingerprints.tsv.
"""

import re
from functools import lru_cache
from typing import Final

FOLDERS: Final = re.compile(rb"/_(?:next/static|app/immutable|astro|nuxt)/")
"""Folders in which Next, SvelteKit, Astro and Nuxt write nothing but files whose names change with their content."""
EXCEPTIONS: Final = re.compile(rb"/_nuxt/builds/[^/]*\Z")
"""What changes in place in these folders."""
EXTENSIONS: Final = frozenset(
    b"css js mjs cjs wasm avif bmp gif ico jpeg jpg png svg webp eot otf ttf woff woff2 aac flac m4a m4v mp3 mp4 oga "
    b"ogg ogv opus wav webm".split()
)
"""Extensions of files that pages refer to. Documents, feeds, manifests and archives have addresses of their own."""
DECORATIONS: Final = re.compile(rb"(?:\.(?:min|chunk|lean|iframe|bundle))+\Z")
"""What may stand between a fingerprint and the extension."""
HEX: Final = re.compile(rb"(?:.*[.-]|.*_hu_)(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,128}", re.DOTALL)
"""webpack, Rsbuild, Parcel, Hugo, Django, Rails, Gatsby, mkdocs-material: hexadecimal with a digit and a letter."""
ONLY_HEX: Final = re.compile(rb"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,128}")
"""The media files of webpack: nothing but a hash, which is then not a word by its length."""
BASE32: Final = re.compile(rb".*[.-](?![A-Z]*[0-9]*\Z)[A-Z2-7]{8}", re.DOTALL)
"""esbuild and Angular: eight of A-Z and 2-7, other than a word with a number behind it."""
BASE32_CONSONANTS: Final = re.compile(rb".*[.-](?=[A-Z2-7]*[B-DF-HJ-NP-TV-Z]{4})[A-Z2-7]{8}", re.DOTALL)
"""The same without a digit that shows it, but with four consonants in a row, as hardly a word has them."""
BASE64URL: Final = re.compile(rb".*[.-]((?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z0-9_-]{8})", re.DOTALL)
"""Vite, Rollup, VitePress, React Router: eight of base64url, in capitals and small letters."""
WORDS: Final = re.compile(rb"(?:[A-Z]?[a-z]+)*[0-9]*(?:[_-](?:[A-Z]?[a-z]+)*[0-9]*)*")
"""Words in camel case, each with a number behind it or not: HomePage, v2-Beta1."""

_CACHED: Final = 1024


@lru_cache(_CACHED)
def is_fingerprinted(path: bytes) -> bool:
    """Whether the last segment of a path beneath the root is certain to change when the content changes."""
    anchored = b"/" + path
    if FOLDERS.search(anchored):
        return not EXCEPTIONS.search(anchored)
    name = path.rpartition(b"/")[2].removesuffix(b".map")
    stem, dot, extension = name.rpartition(b".")
    if not dot or extension.lower() not in EXTENSIONS:
        return False
    stem = DECORATIONS.sub(b"", stem)
    if any(pattern.fullmatch(stem) for pattern in (HEX, ONLY_HEX, BASE32, BASE32_CONSONANTS)):
        return True
    match = BASE64URL.fullmatch(stem)
    return match is not None and not WORDS.fullmatch(match[1])
