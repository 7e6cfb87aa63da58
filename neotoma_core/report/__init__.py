"""Reports: what an operation decided, did and noticed, as values; and how they look."""
