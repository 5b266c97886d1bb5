"""PWB as a WSGI application: the files of a directory in gunicorn, uWSGI, mod_wsgi or any other server of WSGI."""

from .static_site import StaticSite

__all__ = ["StaticSite"]
