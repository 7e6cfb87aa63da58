"""Operations: each reads, decides, writes and returns a report.

The only layer with both I/O and decisions.
"""
