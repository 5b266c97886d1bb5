"""Access control: the addresses, passwords and proxies that are accepted. It is not loaded unless it is configured."""
