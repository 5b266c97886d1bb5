"""One suite, many designs: real processes, raw sockets, and every behaviour a row that each design runs.

designs    the list of designs, one line each         tree     the folder that all of them serve
server     one design as a real process               peer     a client that says exactly what it is told
sockets    what the kernel knows of a connection      wire     answers, read strictly from their bytes
rows/      the behaviours as tables                   test_*   one subject each; a name ends in its hazard ids
"""
