"""The textbook's programs and the attacks on them, pwb_legacy/book."""
