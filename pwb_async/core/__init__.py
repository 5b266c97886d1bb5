"""Floor 0: HTTP/1.1 for static content as bytes and values only.

Nothing in this package opens a file or a socket, waits, logs or asks for the time. What the world knows comes in
as an argument (bytes received, a Finding, the time), what must be done goes out as a value (an event, a Response,
the parts to send). That is why eight servers can share it and give the same answers.

    bytes --connection--> Request --site.locate--> Lookup --(a disk)--> Finding --site.reply--> Response --> parts

What a request is: limits, grammar, fields, target, head, content, messages; how long it may take: deadline.
How one follows another: connection.
What RFC 9110 says about one answer: dates, entity_tags, conditions, ranges.
What this site answers: lookup, media_types, pages, site. What happened: exchange.
"""
