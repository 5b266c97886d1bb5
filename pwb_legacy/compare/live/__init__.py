"""`pwb-legacy live`: all designs at once under a small steady load, on one page with buttons, for a lesson.

    session       the run: folders, servers, the page, the end
    lesson        the rows of the page and what its buttons do
    row           one design: its server, its load and the clients that make trouble
    steady_load   clients that ask for four files at equal distances
    processes     CPU time, threads and processes of all servers, from one pass over /proc
    control       the endpoint that the buttons call, on loopback and with a token
    story         what the figures show, as keys of sentences
    words         all sentences, in English and Chinese

The page is served by `python -m pwb_async` from a temporary folder, into which the lesson writes state.json twice a
second. Everything listens on 127.0.0.1 alone and ends with the command.
"""
