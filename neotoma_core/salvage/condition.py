"""Whether a database can be used as it is, and making it usable again where nothing is lost by it.

A target that cannot is a ruin: it is kept as it is, and another file takes its place.
"""

import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import BackupError, NotNeotoma
from neotoma_core.files.headers import follow
from neotoma_core.neotoma.tables import MERGED
from neotoma_core.salvage.at_rest import State, read_at_rest, state_of_damaged
from neotoma_core.salvage.foreign import foreign_because
from neotoma_core.salvage.mending import empty_indexes
from neotoma_core.sqlite.damage import CheckName
from neotoma_core.sqlite.inspection import inspect_database
from neotoma_core.sqlite.migration import migrate
from neotoma_core.sqlite.opening import (
    check_integrity,
    check_pages,
    connect_read_only,
    make_whole,
)
from neotoma_core.sqlite.untrusted import connect, guard_connection

_CHECKS: Final = {"quick_check": check_pages, "integrity_check": check_integrity}
_FEW: Final = 3  # of Neotoma's tables: another program may well have one of their names


@dataclass(frozen=True, slots=True)
class Condition:
    """Why a database cannot be used as it is.

    ``state``: in one word; ``problem``: in some. ``foreign``: why it may be somebody else's file,
    empty where it may not. ``mendable``: its rows can all be read, so the rest can be recreated.
    """

    state: State
    problem: str
    foreign: str = ""
    mendable: bool = False


def condition_of(database: Path, scratch: Path) -> Condition | None:
    """Return what is wrong with a database; None where nothing is. ``scratch``: a new folder.

    The database is only read. Raises TargetLocked.
    """
    scratch.mkdir(mode=0o700)
    place = follow(database)
    return read_at_rest(place, scratch / "copy", lambda copy: _judge(copy, database, scratch))


def proven_whole(database: Path, shown: Path, scratch: Path, check: CheckName) -> Path:
    """Return one file that holds all of a database, in which a check finds no damage.

    It is the database itself where that has no log, and else a copy in ``scratch``, a new folder.
    ``shown`` is what messages name. Raises BackupUnreadable, BackupDamaged, NotNeotoma,
    TargetLocked.
    """

    def proven(copy: Path) -> Path:
        whole = make_whole(copy, shown, scratch / "whole")
        with closing(connect_read_only(whole)) as connection:
            inspect_database(connection, shown)
            _CHECKS[check](connection, shown)
        return whole

    scratch.mkdir(mode=0o700)
    return read_at_rest(database, scratch / "copy", proven)


def mend_copy(copy: Path, original: Path, folder: Path) -> Path | None:
    """Return a whole copy with missing tables and all indexes recreated; None if that fails.

    ``copy``: of a database that is mendable. ``folder``: a new one.
    """
    folder.mkdir(mode=0o700)
    with suppress(BackupError, sqlite3.Error):
        rows, new = folder / "rows.db", folder / "mended.db"
        shutil.copyfile(make_whole(copy, original, folder), rows)  # that may be the copy itself
        empty_indexes(rows)
        with closing(connect_read_only(rows)) as connection:
            connection.execute("VACUUM INTO ?", (str(new),))
        with closing(connect(new)) as connection:
            guard_connection(connection, reading=False)
            connection.execute("BEGIN")
            migrate(connection, ())
            connection.execute("REINDEX")
            connection.execute("COMMIT")
        with closing(connect_read_only(new)) as connection:
            inspect_database(connection, original)
            check_integrity(connection, original)
        return new
    return None


def _judge(copy: Path, original: Path, scratch: Path) -> Condition | None:
    whole = None
    try:
        whole = make_whole(copy, original, scratch / "whole")
        with closing(connect_read_only(whole)) as connection:
            inspect_database(connection, original)
            check_integrity(connection, original)
    except NotNeotoma as error:
        return _lacking(whole or copy, error)
    except BackupError as error:
        return _describe_broken(copy, whole, error)
    return None


def _describe_broken(copy: Path, whole: Path | None, error: BackupError) -> Condition:
    state: State = "empty" if not copy.stat().st_size else state_of_damaged(copy, error)
    readable = whole is not None and _is_read_without_indexes(whole)
    return Condition(state, error.wrong, foreign_because(copy), mendable=readable)


def _lacking(whole: Path, error: NotNeotoma) -> Condition:
    """Return the condition of a sound SQLite database without tables that Neotoma needs."""
    with closing(connect_read_only(whole)) as connection:
        listed = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        names = {str(name) for (name,) in listed}
    own = names & {table.name for table in MERGED}
    if not names:
        return Condition("empty", "no table is in it", foreign_because(whole))
    if len(own) < _FEW and "observations" not in own:
        return Condition("unreadable", error.wrong, "another program's SQLite database")
    lost = [name for name in ("observations", "entities") if name not in own]
    wrong = f"{' and '.join(lost)} missing" if lost else error.wrong
    return Condition("damaged", f"a Neotoma database, but {wrong}", mendable=bool(lost))


def _is_read_without_indexes(whole: Path) -> bool:
    """Return whether every row of every table can be read, whatever its indexes say."""
    try:
        with closing(connect_read_only(whole)) as connection:
            listed = connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
            )
            for (name,) in listed.fetchall():
                quoted = str(name).replace('"', '""')
                for _ in connection.execute(f'SELECT * FROM "{quoted}" NOT INDEXED'):
                    pass
    except sqlite3.Error:
        return False
    return True
