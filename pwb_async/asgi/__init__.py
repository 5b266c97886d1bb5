"""PWB as an ASGI application: the files of a directory in the server of any asyncio framework."""

from .static_site import StaticSite

__all__ = ["StaticSite"]
