"""Decisions about exports: which columns there are, their types, and what is left out. Pure."""
