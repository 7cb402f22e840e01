"""The page of a run: one file that needs nothing else, and holds its own data."""
