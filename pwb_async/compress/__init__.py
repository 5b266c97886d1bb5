"""The command `pwb compress`: coded neighbours, such as app.js.br, are written ahead of time."""
