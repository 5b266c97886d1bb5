"""Twenty attacks, one for each defect L1 to L20 of docs/hazards.md. An attack takes a program that runs."""
