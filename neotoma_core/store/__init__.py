"""The only code that opens files, databases and sockets.

It moves bytes and rows, and decides nothing.
"""
