"""A disk that fills up while we write."""

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import adbc_driver_manager as adbc

from neotoma_core.errors import DiskFull

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def out_of_space_named(folder: Path) -> Iterator[None]:
    """Turn whatever a full disk raises into DiskFull for ``folder``."""
    try:
        yield
    except OSError as error:
        if _number_of(error) not in _FULL:
            raise
        raise DiskFull(folder) from error
    except adbc.Error as error:
        # The driver has no codes; its message also holds the statement, which is only ours.
        if "database or disk is full" not in str(error):
            raise
        raise DiskFull(folder) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
            raise
        raise DiskFull(folder) from error


def _number_of(error: OSError) -> int | None:
    """Return the error's number; Polars gives it in the text only."""
    if error.errno is not None:
        return error.errno
    told = re.search(r"\(os error (\d+)\)", str(error))
    return int(told[1]) if told else None
