"""``midden rebuild``: recomputing snapshots from the log, or telling how far they are from it."""
