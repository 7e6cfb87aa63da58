"""Jobs larger than memory: cut into small tasks whose results are parts on disk."""
