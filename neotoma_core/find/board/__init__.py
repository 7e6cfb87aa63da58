"""The state of every protected database on one page, and the page served on loopback."""
