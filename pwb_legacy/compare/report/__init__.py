"""What came out: tables, charts, pages and findings in words."""
