"""The seven programs to type, pwb_legacy/typed, as real processes."""
