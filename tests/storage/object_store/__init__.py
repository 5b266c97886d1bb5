"""Sites in object stores."""
