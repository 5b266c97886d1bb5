"""The types of options as keyword arguments of serve(), Server and running().

Made by python -m tests.docs.option_values from the declarations of the options.
"""

import os
from typing import Literal, TypeAlias, TypedDict

Path: TypeAlias = str | os.PathLike[str]


class OptionValues(TypedDict, total=False):
    """The options of pwb, which docs/options.md describes; None stands for the default."""

    config: Path | None
    prefix: str | None
    mount: list[str] | tuple[str, ...] | None
    strict_hosts: bool | None
    index: list[str] | tuple[str, ...] | None
    dotfiles: bool | None
    error_pages: bool | None
    spa: bool | None
    clean_urls: bool | None
    etag: Literal["auto", "content", "mtime"] | None
    max_age: int | str | None
    immutable: bool | None
    relative_redirects: bool | None
    type: list[str] | tuple[str, ...] | None
    charset: str | None
    serve_encoded: bool | None
    precompressed: bool | None
    compress: bool | None
    browse: bool | None
    listing_template: Path | None
    zip_downloads: bool | None
    server_version: bool | None
    site_rules: bool | None
    header: list[str] | tuple[str, ...] | None
    cors: list[str] | tuple[str, ...] | None
    security_headers: Literal["basic", "strict"] | None
    cross_origin_isolated: bool | None
    explain_fields: bool | None
    htpasswd: Path | None
    allow: list[str] | tuple[str, ...] | None
    deny: list[str] | tuple[str, ...] | None
    allowed_host: list[str] | tuple[str, ...] | None
    maintenance: bool | None
    trusted_proxy: list[str] | tuple[str, ...] | None
    proxy_protocol: bool | None
    live_reload: bool | None
    live_reload_ignore: list[str] | tuple[str, ...] | None
    host: str | None
    port: int | None
    port_fallback: bool | None
    unix: Path | None
    unix_mode: str | None
    unix_group: str | None
    http2: bool | None
    tls_cert: list[Path] | tuple[Path, ...] | None
    tls_key: list[Path] | tuple[Path, ...] | None
    tls_self_signed: bool | None
    tls_local: bool | None
    tls_name: list[str] | tuple[str, ...] | None
    tls_client_ca: Path | None
    tls_reload: bool | None
    redirect_https: int | None
    workers: int | str | None
    loop: Literal["uvloop", "asyncio"] | None
    user: str | None
    sandbox: bool | None
    cache: int | str | None
    cache_ttl: float | str | None
    sendfile: bool | None
    disk_timeout: float | str | None
    store_ttl: float | str | None
    stale_if_error: float | str | None
    store_cache: Path | None
    store_cache_size: int | str | None
    access_log: Path | None
    log_format: Literal["combined", "json", "pretty"] | None
    log_exclude: list[str] | tuple[str, ...] | None
    log_sample: int | None
    trace: Path | None
    admin: str | None
    health: str | None
    max_load: int | None
    shutdown_delay: float | str | None
    header_timeout: float | str | None
    idle_timeout: float | str | None
    send_timeout: float | str | None
    min_send_rate: int | str | None
    linger_idle: float | str | None
    linger_timeout: float | str | None
    grace_period: float | str | None
    max_connections: int | None
    max_connections_per_ip: int | None
    requests_per_connection: int | None
    max_request_line: int | str | None
    max_field: int | str | None
    max_fields: int | None
    max_head: int | str | None
    max_content: int | str | None
    max_ranges: int | None
    max_request_rate: str | None
    request_burst: int | None
    max_send_rate: str | None
    max_total_send_rate: str | None
    limit_exempt: list[str] | tuple[str, ...] | None
    limit_dry_run: bool | None
    limit_ipv6_prefix: str | None
    delay_disk: list[str] | tuple[str, ...] | None
