"""A disk that fills up while we write."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neotoma_core.errors import DiskFull


@contextmanager
def out_of_space_named(folder: Path) -> Iterator[None]:
    """Turn whatever a full disk raises into DiskFull for ``folder``."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DiskFull(folder) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
            raise
        raise DiskFull(folder) from error
