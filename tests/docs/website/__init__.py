"""The generator of the documentation site: plain HTML of the pages in docs/, without scripts and without other hosts."""
