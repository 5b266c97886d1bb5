"""Counters of all processes of a server, and the text formats in which monitoring systems read them."""
