"""Every sentence that `pwb-legacy check` prints, a file for each language."""
