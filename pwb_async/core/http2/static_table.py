"""The static table of HPACK: fields that need no entry of their own (RFC 7541 appendix A)."""

from typing import Final

_FIELDS: Final = """
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate
"""

STATIC_TABLE: Final = tuple(
    (name.encode(), value.encode()) for name, _, value in (line.partition(" ") for line in _FIELDS.strip().splitlines())
)
"""Names and values. The first entry has the index 1."""
STATIC_NAMES: Final = {name: index for index, (name, _) in reversed([*enumerate(STATIC_TABLE, 1)])}
"""The first index of each name."""
STATIC_STATUSES: Final = {
    int(value): index for index, (name, value) in enumerate(STATIC_TABLE, 1) if name == b":status"
}
"""The index of each status."""
