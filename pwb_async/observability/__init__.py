"""What can be seen of a running server: the access log, the error log and the timeline."""
