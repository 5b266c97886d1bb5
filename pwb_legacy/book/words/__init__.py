"""Every sentence that `pwb-legacy book` prints: a module for each language, with the same names in it."""
