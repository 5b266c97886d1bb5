"""The laboratory: every design as a command, under the same loads, side by side.

    python -m pwb_legacy compare    measures them all, and says in figures and pictures what each is good at
    python -m pwb_legacy diff       proves that they answer alike
    python -m pwb_legacy trace      draws what each does, moment by moment

The plan of `compare`: take the contestants; see that all answer the same bytes (equality); start each in turn, in
interleaved rounds (rounds), and have it go through the scenarios (scenarios), asked by a load generator (load) and
watched from /proc (probes) meanwhile; keep what was measured (results); show it as it comes (table), and at the end in
words (verdict) and pictures (page).

Nothing in here is imported by a server. What only the laboratory needs is in the extra `lab`.
"""
