"""The command `pwb-legacy check`."""
