"""What RFC 9110 says, whatever the version of HTTP: fields, targets, dates, entity tags, preconditions, ranges."""
