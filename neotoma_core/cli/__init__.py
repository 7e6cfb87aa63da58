"""The command line: parse, call one operation, print, exit code. One file per command.

Commands import what they need when they run, so that ``--help`` is quick.
"""

from neotoma_core.cli.app import main

__all__ = ["main"]
