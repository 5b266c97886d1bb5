"""Who may make a request: addresses and passwords. Nothing of it is loaded unless it is configured."""
