"""Media types by the ending of a file's name: a table of our own, so that every machine says the same."""

from typing import Final

DEFAULT: Final = b"application/octet-stream"

_TABLE: Final = """
text/html                       html htm shtml
text/css                        css
text/javascript                 js mjs cjs
text/plain                      txt text log conf cfg ini diff patch c h cc cpp hpp py pyi rs go java sh sql rst
text/markdown                   md markdown
text/csv                        csv
text/tab-separated-values       tsv
text/calendar                   ics
text/vcard                      vcf
text/vtt                        vtt
application/json                json map geojson
application/ld+json             jsonld
application/manifest+json       webmanifest
application/rss+xml             rss
application/atom+xml            atom
application/xhtml+xml           xhtml
application/xml                 xml xsl xsd
application/wasm                wasm
application/pdf                 pdf
application/rtf                 rtf
application/epub+zip            epub
application/zip                 zip whl
application/gzip                gz tgz
application/zstd                zst
application/x-brotli            br
application/x-bzip2             bz2
application/x-xz                xz
application/x-7z-compressed     7z
application/x-tar               tar
application/vnd.rar             rar
application/java-archive        jar war ear
application/toml                toml
application/yaml                yaml yml
application/msword              doc
application/vnd.ms-excel        xls
application/vnd.ms-powerpoint   ppt
application/vnd.ms-fontobject   eot
application/vnd.openxmlformats-officedocument.wordprocessingml.document    docx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet          xlsx
application/vnd.openxmlformats-officedocument.presentationml.presentation  pptx
application/vnd.oasis.opendocument.text          odt
application/vnd.oasis.opendocument.spreadsheet   ods
application/vnd.android.package-archive          apk
application/vnd.apple.mpegurl   m3u8
application/dash+xml            mpd
image/avif                      avif
image/bmp                       bmp
image/gif                       gif
image/heic                      heic
image/jpeg                      jpg jpeg jfif
image/jxl                       jxl
image/png                       png
image/apng                      apng
image/svg+xml                   svg
image/tiff                      tif tiff
image/webp                      webp
image/x-icon                    ico
audio/aac                       aac
audio/flac                      flac
audio/midi                      mid midi
audio/mp4                       m4a
audio/mpeg                      mp3
audio/ogg                       ogg oga opus
audio/wav                       wav
audio/webm                      weba
video/mp2t                      ts
video/mp4                       mp4 m4v
video/mpeg                      mpg mpeg
video/ogg                       ogv
video/quicktime                 mov
video/webm                      webm
video/x-matroska                mkv
video/x-msvideo                 avi
font/otf                        otf
font/ttf                        ttf
font/woff                       woff
font/woff2                      woff2
"""


def _read_table() -> dict[bytes, bytes]:
    types: dict[bytes, bytes] = {}
    for line in _TABLE.encode().splitlines():
        media_type, *endings = line.split() or [b""]
        if media_type.startswith(b"text/"):
            media_type += b"; charset=utf-8"
        types.update(dict.fromkeys(endings, media_type))
    return types


_TYPES: Final = _read_table()


def media_type(name: bytes) -> bytes:
    """The value of Content-Type for a file's name; text types say their charset."""
    _, dot, ending = name.rpartition(b".")
    return _TYPES.get(ending.lower(), DEFAULT) if dot else DEFAULT
