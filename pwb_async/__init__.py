"""PWB: a static web server."""

__version__ = "8.0"
