"""The command `pwb explain`, which prints how a request would be answered, and why."""
