"""Standard error, kept for what midden itself says.

A native library that panics, or warns, writes to the process's standard error on its own, and what
it writes quotes what it worked on: somebody's memory. Python does the same with the message of an
error that nobody can catch: in a thread, or while an object is finalised. So here the descriptor
leads nowhere, Python writes to a copy of it, and such errors are named and placed, not quoted.
"""

import faulthandler
import os
import sys
import threading
import traceback
from types import TracebackType
from typing import TextIO

from neotoma_core.cli.terminal.streams import error_stream
from neotoma_core.report.layout import escape_name

_STANDARD_ERROR = 2


def keep_for_midden() -> None:
    """Let nothing but Python write to standard error, and Python no message it does not choose."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    sys.stderr = _stream(_copy() or os.dup(nowhere))
    if nowhere != _STANDARD_ERROR:  # as it is where standard error was closed
        os.dup2(nowhere, _STANDARD_ERROR)
        os.close(nowhere)
    faulthandler.enable(sys.stderr)  # a crash of the process says where, which holds no value
    threading.excepthook = _in_a_thread
    sys.unraisablehook = _in_passing


def name_error(error: BaseException | type[BaseException], trace: TracebackType | None) -> str:
    """Print where an error happened, and return what kind it is; its message may hold values."""
    for frame in traceback.extract_tb(trace):
        say(f"  {frame.filename}:{frame.lineno} in {frame.name}")
    return error.__name__ if isinstance(error, type) else type(error).__name__


def say(line: str) -> None:
    """Print a line to standard error; printable throughout, whatever a path in it holds."""
    print(escape_name(line), file=sys.stderr)


def _copy() -> int | None:
    """Return a descriptor of its own for where standard error leads; None where it is closed."""
    if sys.stderr is None:
        return None
    try:
        sys.stderr.flush()
        return os.dup(_STANDARD_ERROR)
    except OSError:
        return None


def _stream(descriptor: int) -> TextIO:
    return error_stream(descriptor, sys.stderr.encoding if sys.stderr is not None else "utf-8")


def _in_a_thread(unhandled: threading.ExceptHookArgs) -> None:
    kind = name_error(unhandled.exc_type, unhandled.exc_traceback)
    say(f"midden: internal error {kind} in a thread")


def _in_passing(unhandled: "sys.UnraisableHookArgs") -> None:
    kind = name_error(unhandled.exc_type, unhandled.exc_traceback)
    say(f"midden: internal error {kind}, which nothing could handle")
