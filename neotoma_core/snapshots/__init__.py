"""What the snapshots of a database should be, and why stored ones are not. Pure.

Here: the one decision about a snapshot, made for recoveries, rebuilds, erasures, unmerges and
drills alike. Not here: how observations reduce (``reduce``), and who reads and writes.
"""
