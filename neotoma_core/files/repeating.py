"""Doing again what a signal interrupted: Python does so for reads and writes, not for names.

On a network or FUSE file system making, renaming and removing a name can be interrupted, too.
So can forcing bytes to the disk. SQLite does that itself as it commits, and says of whatever goes
wrong that the disk failed. Once it has failed, another try may succeed although bytes were lost. So
that is never done again: the transaction is undone, and the command can be run again.
"""

import functools
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

NAMES: Final = ("mkdir", "rmdir", "unlink", "remove", "rename", "replace", "link", "symlink")
_TRIES: Final = 100


def repeating(call: Callable[P, T]) -> Callable[P, T]:
    """Return a call that is done again where a signal interrupted it."""

    @functools.wraps(call)
    def repeat(*words: P.args, **options: P.kwargs) -> T:
        for _ in range(_TRIES):
            with suppress(InterruptedError):
                return call(*words, **options)
        return call(*words, **options)

    return repeat


def repeat_interrupted_names() -> None:
    """Have every change of a name in this process, by whichever module, done again."""
    for name in NAMES:
        call = getattr(os, name)
        if not hasattr(call, "__wrapped__"):
            setattr(os, name, repeating(call))
