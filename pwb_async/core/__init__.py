"""The HTTP logic of PWB, as pure functions of bytes and values.

Nothing in this package opens a file or a socket, waits, logs or reads a clock. Input arrives as arguments: received
bytes, a Finding, the time. Output is returned: an event, a Response, the parts to send. Therefore eight servers that
wait in different ways can share it and give the same responses.

    bytes --Connection--> Request --Site.locate--> Lookup --Storage.find--> Finding --Site.reply--> Response --> parts

semantics/ is RFC 9110, which holds for every version of HTTP; http1/ is RFC 9112; site/ is the rules of the site.
events.py defines what a connection reports, deadlines.py how long it may take.
"""
