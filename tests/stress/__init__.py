"""Loads that would take too long for the suite, as commands that print their figures and exit with 1 if a bar is missed.

    python -m tests.stress.crowd    many clients at once: time and memory     (--quick: the short form that CI runs)
    python -m tests.stress.faults   every system call of the serving path fails, one at a time
    python -m tests.stress.reload   reloads and dead workers under load
    python -m tests.stress.soak     everything at once for a long time

All of it happens on loopback, with processes that the commands start and end themselves.
"""
