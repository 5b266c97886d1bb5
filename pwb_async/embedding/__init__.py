"""PWB inside of other Python programs: serve(), Server and running(), which pwb_async exports."""
