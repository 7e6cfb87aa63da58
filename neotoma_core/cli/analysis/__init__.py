"""Commands of the archive and of analytics."""
