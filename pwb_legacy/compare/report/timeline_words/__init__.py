"""All sentences of trace.html, a catalogue for each language."""
