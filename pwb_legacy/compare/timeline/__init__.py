"""Three clients played through every design, moment by moment."""
