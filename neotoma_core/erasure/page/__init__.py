"""An erasure as a page."""
