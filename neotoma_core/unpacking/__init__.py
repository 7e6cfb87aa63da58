"""Compressed files and archives from outside: found, and unpacked within limits."""
