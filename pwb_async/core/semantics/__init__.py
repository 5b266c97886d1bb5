"""HTTP semantics (RFC 9110), the same in every version: fields, targets, dates, entity tags, preconditions, ranges."""
