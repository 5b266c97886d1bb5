"""Sites in archives."""
