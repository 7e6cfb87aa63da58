"""Databases that are damaged: judging them, mending what is safe to mend, and getting rows out."""
