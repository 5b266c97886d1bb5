"""The textbook's seven programs with their defects, and twenty attacks that show them: the command `pwb-legacy book`.

exhibits/   the seven programs, written anew, with the defects of the book on purpose: they are not to be used
attacks/    twenty attacks, L1 to L20 of docs/hazards.md, each a small function
words/      every sentence that is printed, a file for each language
the rest    starts a program or a design of PWB, attacks it, and shows what happened as a table and as a page
"""
