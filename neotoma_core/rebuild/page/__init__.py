"""A rebuild as a page."""
