"""The laboratory: every design as a command, under the same loads, side by side.

    python -m pwb_legacy compare    measures them all, and concludes what the figures carry
    python -m pwb_legacy report     draws the page of a run again, or joins the runs of several machines
    python -m pwb_legacy diff       proves that they answer alike
    python -m pwb_legacy trace      draws what each does, moment by moment
    python -m pwb_legacy live       shows all of them at once on a page with buttons, for a lesson

The plan of `compare` (session): prove that all designs answer alike (checks.equality); find the rates of the open loops
(measure.rates); in each round, play each scenario on one design after the other (measure.rounds, measure.scenarios),
with requests from a load generator (load) while the server is watched (measure.running_server, measure.cpu_time); keep
what was measured (measure.results); then see which differences the rounds carry (report.paired, report.claims), and
show them as sentences (report.words, with the texts of report.texts), as a table (report.table) and as a page
(report.page).

`compare --sweep` measures curves instead of scenarios (measure.sweep), and names how each design grows (report.growth,
report.curves). Other interpreters (measure.interpreters) and other servers (measure.others) are contestants, too.

Nothing in here is imported by a server. What only the laboratory needs is in the extra `lab`.
"""
