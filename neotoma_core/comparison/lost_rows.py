"""Which rows of one whole copy another one lacks. Both are only read."""

import sqlite3
from contextlib import closing
from pathlib import Path

from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.sqlite.inspection import inspect_database
from neotoma_core.sqlite.opening import connect_read_only, damage_of
from neotoma_core.sqlite.untrusted import attach


def count_lost(held: Path, replacing: Path, table: str, original: Path) -> int:
    """Return how many rows of a table of ``held`` are not in ``replacing``: by id and content.

    Content is what a row says, neither when it was observed or stored, nor which entity or source
    it was given to since. Both have the table, with a column ``id``; rows without an id cannot be
    distinguished: of those the surplus counts. ``original`` is only named in messages. Raises
    BackupDamaged.
    """
    before, after = f"main.{quote(table)}", f"after.{quote(table)}"
    with closing(connect_read_only(held)) as connection, closing(connect_read_only(replacing)) as o:
        try:
            theirs = _says(o, table, original)
            said = [name for name in _says(connection, table, original) if name in theirs]
            alike = "".join(f" AND a.{quote(name)} IS b.{quote(name)}" for name in said)
            place = f"{replacing.resolve().as_uri()}?mode=ro&immutable=1"
            attach(connection, "after", place)
            (lost,) = connection.execute(
                f"SELECT count(*) FROM {before} b WHERE b.id IS NOT NULL AND NOT EXISTS "
                f"(SELECT 1 FROM {after} a WHERE a.id = b.id{alike})"
            ).fetchone()
            nameless = [
                connection.execute(f"SELECT count(*) FROM {name} WHERE id IS NULL").fetchone()[0]
                for name in (before, after)
            ]
        except sqlite3.DatabaseError as error:
            raise damage_of(original, str(error)) from error
    return int(lost) + max(0, int(nameless[0]) - int(nameless[1]))


def _says(connection: sqlite3.Connection, table: str, original: Path) -> tuple[str, ...]:
    """Return the columns of a table that say something, as far as a database has them."""
    facts = BY_NAME[table]
    found = next(t for t in inspect_database(connection, original).tables if t.name == table)
    left_out = {*facts.key, *facts.stamps, *(c.name for c in facts.columns if c.refers)}
    return tuple(n for n in facts.names if n in found.columns and n not in left_out)
