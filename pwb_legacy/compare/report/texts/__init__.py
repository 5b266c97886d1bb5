"""Every sentence and label of the laboratory, as templates: a catalogue for each language, all with the same names."""
