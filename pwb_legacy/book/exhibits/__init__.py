"""Seven programs that have the defects of the textbook's servers ON PURPOSE. Never serve anything with them.

They are exhibits: `pwb-legacy book` starts them, attacks them and ends them. They listen on 127.0.0.1 alone, and can
open nothing but a temporary folder (see guard.py). Section 9.3 of the book changes one method of 9.2, and 9.4 a few
more; so do the classes here. A code in a comment names the defect that the line causes (docs/hazards.md).
"""
