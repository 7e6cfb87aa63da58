"""Fields of many entities at once: their values, which of them wins, and how it is written.

Pure.
"""
