"""The standard streams of the command, whatever they lead to.

A descriptor that is closed leads nowhere, or the next file opened would get its number. What an
encoding lacks is spelled out. Where output cannot be written, that is an error of its own, and what
the run has done is reported all the same; where errors cannot be written, nothing can be reported.
"""

import codecs
import errno
import io
import os
import sys
from typing import BinaryIO, Final, NoReturn, TextIO, cast

from neotoma_core.errors import OutputFailed, reason_of

_SPELLED: Final = "midden.spelled"
_BEYOND: Final = 0x10000


class ReaderGone(BaseException):
    """Nobody reads the output any longer, as after ``| head``."""


class _Output(io.TextIOWrapper):
    """``begun``: something was written; ``hushed``: nothing is to be."""

    begun = False
    hushed = False

    def write(self, text: str) -> int:
        if self.hushed:
            return len(text)
        self.begun = True
        try:
            return super().write(text)
        except OSError as error:
            _fail(error)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            _fail(error)


class _Errors(io.TextIOWrapper):
    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)


def open_streams() -> None:
    """Make standard input and output safe to use; standard error only that it is open."""
    codecs.register_error(_SPELLED, _spell)
    for number in range(3):
        _open_closed(number)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        lines, encoding = sys.stdout.isatty(), sys.stdout.encoding
        raw = cast("BinaryIO", sys.stdout.detach())
        sys.stdout = _Output(raw, encoding, _SPELLED, line_buffering=lines)


def error_stream(descriptor: int, encoding: str) -> TextIO:
    """Return a stream that says what it can, and is silent where that cannot be written."""
    raw = os.fdopen(descriptor, "wb", 0)
    return _Errors(cast("BinaryIO", raw), encoding, "backslashreplace", write_through=True)


def has_output() -> bool:
    """Return whether anything was written to standard output."""
    return isinstance(sys.stdout, _Output) and sys.stdout.begun


def hush_output() -> None:
    """Write nothing to standard output from now on."""
    if isinstance(sys.stdout, _Output):
        sys.stdout.hushed = True


def abandon_output() -> None:
    """Let what is not written yet go nowhere, so that the end of the process does not try again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _open_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one


def _fail(error: OSError) -> NoReturn:
    if error.errno in (errno.EPIPE, errno.ESHUTDOWN):
        raise ReaderGone from error
    raise OutputFailed(reason_of(error)) from error


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Spell out what an encoding lacks as JSON does, so that a document stays one."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = []
    for sign in error.object[error.start : error.end]:
        number = ord(sign)
        if number >= _BEYOND:
            number -= _BEYOND
            units += [0xD800 + (number >> 10), 0xDC00 + (number & 0x3FF)]
        else:
            units.append(number)
    return "".join(f"\\u{unit:04x}" for unit in units), error.end
