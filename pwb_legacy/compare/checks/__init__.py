"""The proof that all designs answer alike, before anything is measured."""
