"""The responses of the site: site.py lists the steps in order, and each feature has a file of its own."""
