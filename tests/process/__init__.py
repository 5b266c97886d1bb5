"""Tests of `pwb_async` as a service: workers, reload, stop, systemd, Unix sockets, privileges and limits.

All of them run real processes, on both event loops where the loop matters.
"""
