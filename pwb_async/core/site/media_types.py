"""The media types of files: the fields Content-Type and, where that is enabled, Content-Encoding.

The first of these steps that has a result decides:
  1. with `--serve-encoded`, a name such as x.js.br: Content-Encoding by the last ending, and the type of x.js by the
     next steps; unless that type is unknown or an archive's, or a `--type` glob matches x.js.br but not x.js
  2. `--type`: the last glob that matches
  3. _ENDINGS: a table of our own, so that every machine gives the same types; it follows the IANA registry, and for
     types that are not registered, browsers, nginx and Apache
  4. _WELL_KNOWN: names without an ending that have a registered type
"""

import re
from collections.abc import Iterator, Sequence
from fnmatch import translate
from typing import Final

from pwb_async.core.semantics.messages import FieldList

DEFAULT: Final = b"application/octet-stream"
"""The media type of a file whose ending is unknown."""
UTF_8: Final = b"utf-8"
"""The default charset of text."""

_ENDINGS: Final = """
text/html                       html htm shtml
text/css                        css
text/javascript                 js mjs cjs
text/plain                      txt text log conf cfg ini diff patch c h cc cpp hpp py pyi rs go java sh sql rst
text/markdown                   md markdown
text/csv                        csv
text/tab-separated-values       tsv
text/calendar                   ics
text/turtle                     ttl
text/vcard                      vcf
text/vtt                        vtt
text/wgsl                       wgsl
application/json                json map topojson
application/geo+json            geojson
application/ld+json             jsonld
application/manifest+json       webmanifest
application/rss+xml             rss
application/atom+xml            atom
application/xhtml+xml           xhtml
application/xml                 xml xsl xsd
application/mathml+xml          mml mathml
application/rdf+xml             rdf owl
application/wasm                wasm
application/pdf                 pdf
application/postscript          ps eps ai
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
application/octet-stream        data
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
application/vnd.oasis.opendocument.presentation  odp
application/vnd.oasis.opendocument.graphics      odg
application/vnd.android.package-archive          apk
application/vnd.apple.pkpass    pkpass
application/vnd.apple.pkpasses  pkpasses
application/x-apple-aspen-config  mobileconfig
application/x-chrome-extension  crx
application/x-xpinstall         xpi
application/appinstaller        appinstaller
application/appx                appx
application/appxbundle          appxbundle
application/msix                msix
application/msixbundle          msixbundle
application/x-java-jnlp-file    jnlp
application/x-x509-ca-cert      crt der
application/pkix-cert           cer
application/pkix-crl            crl
application/pgp-signature       sig
application/x-bittorrent        torrent
application/metalink4+xml       meta4
application/vnd.apache.arrow.file    arrow
application/vnd.apache.arrow.stream  arrows
application/vnd.apache.parquet  parquet
application/vnd.sqlite3         sqlite sqlite3
application/vnd.pmtiles         pmtiles
application/vnd.mapbox-vector-tile   mvt
application/vnd.google-earth.kml+xml kml
application/vnd.google-earth.kmz     kmz
application/gpx+xml             gpx
application/vnd.apple.mpegurl   m3u8
application/dash+xml            mpd
application/ttml+xml            ttml
image/avif                      avif
image/bmp                       bmp
image/gif                       gif
image/heic                      heic
image/heic-sequence             heics
image/heif                      heif
image/heif-sequence             heifs
image/jpeg                      jpg jpeg jfif
image/jp2                       jp2
image/jxl                       jxl
image/ktx                       ktx
image/ktx2                      ktx2
image/png                       png
image/apng                      apng
image/svg+xml                   svg
image/tiff                      tif tiff
image/vnd.adobe.photoshop       psd
image/vnd.djvu                  djvu djv
image/webp                      webp
image/x-icon                    ico
audio/aac                       aac
audio/flac                      flac
audio/midi                      mid midi
audio/mp4                       m4a m4b
audio/mpeg                      mp3
audio/ogg                       ogg oga opus
audio/wav                       wav
audio/webm                      weba
video/3gpp                      3gp
video/iso.segment               m4s
video/mp2t                      ts
video/mp4                       mp4 m4v
video/mpeg                      mpg mpeg
video/ogg                       ogv
video/quicktime                 mov
video/webm                      webm
video/x-matroska                mkv
video/x-msvideo                 avi
model/3mf                       3mf
model/gltf+json                 gltf
model/gltf-binary               glb
model/mtl                       mtl
model/obj                       obj
model/stl                       stl
model/vnd.usda                  usda
model/vnd.usdz+zip              usdz
font/collection                 ttc
font/otf                        otf
font/ttf                        ttf
font/woff                       woff
font/woff2                      woff2
"""

_WELL_KNOWN: Final = """
application/json                apple-app-site-association http-opportunistic jmap microsoft-identity-association
application/json                matrix/client matrix/server matrix/support nodeinfo
application/json                oauth-authorization-server oauth-protected-resource
application/json                openid-configuration openid-credential-issuer passkey-endpoints
application/json                uma2-configuration web-identity webauthn
application/entity-statement+jwt  openid-federation
application/jrd+json            webfinger
application/link-format         core
application/linkset+json        api-catalog
application/private-token-issuer-directory  private-token-issuer-directory
application/td+json             wot
application/trafficadvice+json  traffic-advice
application/xrd+xml             host-meta
text/plain                      atproto-did
"""
"""Names below /.well-known/ that have no ending, and whose specification defines a media type (RFC 8615)."""

_CODINGS: Final = {b"br": b"br", b"gz": b"gzip", b"zst": b"zstd"}
"""Content codings of the IANA registry by the ending of a file name."""
ARCHIVES: Final = frozenset(
    b"""application/zip application/gzip application/zstd application/x-brotli application/x-bzip2 application/x-xz
    application/x-7z-compressed application/x-tar application/vnd.rar application/java-archive
    application/vnd.android.package-archive application/x-chrome-extension application/x-xpinstall application/appx
    application/appxbundle application/msix application/msixbundle application/vnd.debian.binary-package
    application/x-iso9660-image""".split()
)
"""Media types of archives. x.tar.gz is served as an archive, not as a coded x.tar: a client would decode it, and the
saved file would match neither its name nor its published digest."""

_CHARSET: Final = re.compile(rb";[ \t]*charset=", re.IGNORECASE)


class MediaTypes:
    """A table of media types by the path of a file.

    Args:
        rules: Pairs of a glob and a media type. A glob with a slash is matched against the path below the root, any
            other against the file name, both without regard to case; `*` matches slashes as well.
        charset: The charset parameter that is added to text types without one; b"" for none. Other types never get one:
            JSON has no such parameter (RFC 8259 11), and XML declares its own encoding (RFC 7303 3.2).
        encoded: Whether x.js.br is served as x.js with a content coding; see step 1 above.
    """

    def __init__(self, rules: Sequence[tuple[str, bytes]] = (), charset: bytes = UTF_8, encoded: bool = False) -> None:
        self._endings = {name: _field(media, charset) for name, media in _rows(_ENDINGS)}
        self._paths = {b".well-known/" + name: _field(media, charset) for name, media in _rows(_WELL_KNOWN)}
        self._paths[b"apple-app-site-association"] = _field(
            b"application/json", charset
        )  # at the root, a location older than RFC 8615
        self._rules = [_Rule(glob, _field(media, charset)) for glob, media in reversed(rules)]
        self._encoded = encoded

    def fields(self, path: bytes) -> FieldList:
        """Content-Type, and Content-Encoding of a coded file, for a path below the root."""
        if self._encoded:
            stem, _, ending = path.rpartition(b".")
            if (coding := _CODINGS.get(ending.lower())) and (media := self._decoded(path, stem)):
                return (*media, (b"Content-Encoding", coding))
        return self._type(path) or _DEFAULT

    def _decoded(self, path: bytes, stem: bytes) -> FieldList | None:
        """The type of a coded file's decoded content; None if the file is served as it is.

        stem: the path without the ending of the coding.
        """
        rule = self._rule(path)
        if rule and not rule.matches(stem):
            return None
        media = self._type(stem)
        return None if media is None or _is_archive(media[0][1]) else media

    def _type(self, path: bytes) -> FieldList | None:
        if self._rules and (rule := self._rule(path)):
            return rule.media
        _, dot, ending = path.rpartition(b".")
        return (self._endings.get(ending.lower()) if dot else None) or self._paths.get(path)

    def glob_of(self, path: bytes) -> str | None:
        """The glob of the rule that decides for a path; None if no rule does."""
        rule = self._rule(path)
        return None if rule is None else rule.glob

    def _rule(self, path: bytes) -> "_Rule | None":
        return next((rule for rule in self._rules if rule.matches(path)), None)


class _Rule:
    """A glob of `--type` with its media type."""

    def __init__(self, glob: str, media: FieldList) -> None:
        self._match = re.compile(translate(glob.removeprefix("/")), re.IGNORECASE).match
        self._whole_path = "/" in glob
        self.glob = glob
        self.media = media

    def matches(self, path: bytes) -> bool:
        """Whether the glob matches a path below the root."""
        text = path.decode(errors="surrogateescape")
        return self._match(text if self._whole_path else text.rpartition("/")[2]) is not None


def _is_archive(media: bytes) -> bool:
    essence = media.partition(b";")[0].strip().lower()
    return essence in ARCHIVES or essence.endswith((b"+zip", b"+gzip", b"+zstd"))


def _rows(table: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield each name in a table with its media type."""
    for line in table.encode().split(b"\n"):
        media, *names = line.split() or [b""]
        yield from ((name, media) for name in names)


def _field(media: bytes, charset: bytes = b"") -> FieldList:
    """Content-Type, with the charset added to a text type that has none."""
    if charset and media[:5].lower() == b"text/" and not _CHARSET.search(media):
        media = b"%s; charset=%s" % (media, charset)
    return ((b"Content-Type", media),)


_DEFAULT: Final = _field(DEFAULT)
STANDARD: Final = MediaTypes()
"""The types without any option."""
