"""Opening once more what a connection has open, so that two can be asked at a time."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from neotoma_core.sqlite.arrow import immutable_uri
from neotoma_core.sqlite.untrusted import attach, connect, guard_connection

_CACHE_KIB: Final = 64 << 10


def list_open_files(connection: sqlite3.Connection) -> dict[str, Path]:
    """Return the files of the databases that a connection has open, by what it calls them."""
    listed = connection.execute(
        "SELECT name, CAST(file AS BLOB) FROM pragma_database_list WHERE name <> 'temp'"
    )
    return {str(name): Path(os.fsdecode(raw)) for name, raw in listed}


@contextmanager
def connect_beside(files: Mapping[str, Path]) -> Iterator[sqlite3.Connection]:
    """Open files to read them, under the names they have elsewhere; nobody may write to them."""
    with closing(connect(immutable_uri(files["main"]), uri=True)) as connection:
        guard_connection(connection, reading=False)
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        for name, file in files.items():
            if name != "main":
                attach(connection, name, immutable_uri(file))
        yield connection
