"""Loads that take too long for the suite, as commands that print figures and exit with 1 if one misses its bar.

    python -m tests.stress.crowd    many clients at once: time and memory     (--quick: the short form that CI runs)
    python -m tests.stress.faults   every system call of the serving path fails, one at a time
    python -m tests.stress.reload   reloads and dead workers under load
    python -m tests.stress.soak     everything at once for a long time

All of them use loopback, and processes that they start and end themselves.
"""
