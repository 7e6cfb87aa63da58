"""Decisions about exports: which columns there are, of which types, and what is left out. Pure."""
