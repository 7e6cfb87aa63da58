"""SQLite's own online backup, which does not wait for ever."""

import sqlite3
from time import monotonic
from typing import Final

from neotoma_core.sqlite.untrusted import is_locked

_PATIENCE_SECONDS: Final = 5.0


def copy_pages(source: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Give ``copy`` all pages of ``source``, in one step.

    Raises sqlite3.OperationalError, as any statement does, where another program has either of them
    locked for longer than a statement waits: left to itself, the backup asks again for ever.
    """
    began = monotonic()

    def give_up(status: int, _remaining: int, _total: int) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = status
        if is_locked(error) and monotonic() - began >= _PATIENCE_SECONDS:
            raise error

    source.backup(copy, pages=-1, progress=give_up)
