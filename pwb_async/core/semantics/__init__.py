"""What RFC 9110 says, the same for every version of HTTP: fields, targets, dates, entity tags, preconditions, ranges."""
