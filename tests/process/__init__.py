"""The life of the asynchronous server: workers, reload, stop, systemd, Unix sockets, confinement, and running out.

Real processes throughout, on both loops where the loop has a part in it; nothing sleeps to wait for something.
"""
