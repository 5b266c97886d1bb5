"""The records of a running server: access log, error log and timeline."""
