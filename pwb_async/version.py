"""The version of PWB, in a module that imports nothing."""

__version__ = "8.0"
