"""Python programs in processes of their own that are forked with their libraries, not started.

Starting Python and loading what a command needs takes longer than most commands take. So one
process, ``server``, loads all of it, and never does anything else. Every program is a fork of that
process with its own words, environment, folder, umask, streams and exit code, and ends as any
process does. ``asking`` asks for one, ``commands`` and ``readers`` are what tests run so;
``client.c`` is a program for shells that asks for what it was called with.

Some tests start Python all the same: those of what is loaded when, of limits and signals that a
process inherits, and of variables that Python reads at its start.
"""
