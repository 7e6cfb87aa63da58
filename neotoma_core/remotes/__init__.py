"""What a remote is: its layout, how its objects are sealed, the logs in it, and reading them back.

Shipping to one is in ``push``; the stores themselves, buckets and folders, are in ``stores``.
"""
