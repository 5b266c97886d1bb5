"""What this site answers: site.py is the ordered list of steps, and each feature has a file of its own."""
