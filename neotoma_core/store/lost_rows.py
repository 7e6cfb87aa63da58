"""Which rows of one whole copy another one lacks. Both are only read."""

import sqlite3
from contextlib import closing
from pathlib import Path

from neotoma_core.ddl import quoted
from neotoma_core.store.databases import connect_read_only, damaged
from neotoma_core.store.guarding import attach


def count_lost(held: Path, replacing: Path, table: str, original: Path) -> int:
    """Return how many rows of a table of ``held`` are not in ``replacing``, by their ids.

    Both have the table, with a column ``id``. Rows without an id cannot be told apart: of those
    the surplus counts. ``original`` is only named in messages. Raises BackupDamaged.
    """
    before, after = f"main.{quoted(table)}", f"after.{quoted(table)}"
    with closing(connect_read_only(held)) as connection:
        try:
            place = f"{replacing.resolve().as_uri()}?mode=ro&immutable=1"
            attach(connection, "after", place)
            (lost,) = connection.execute(
                f"SELECT count(*) FROM {before} WHERE id NOT IN "
                f"(SELECT id FROM {after} WHERE id IS NOT NULL)"
            ).fetchone()
            nameless = [
                int(
                    connection.execute(f"SELECT count(*) FROM {name} WHERE id IS NULL").fetchone()[
                        0
                    ]
                )
                for name in (before, after)
            ]
        except sqlite3.DatabaseError as error:
            raise damaged(original, str(error)) from error
    return int(lost) + max(0, nameless[0] - nameless[1])
