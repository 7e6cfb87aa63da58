"""The rows of one user, and what they refer to: all that a recovery for this user may bring."""

from typing import Final

import polars as pl

from neotoma_core.lineage.lineage import Database
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME, TABLES, Table

OTHERS: Final = "of another user"
UNKNOWN: Final = "of a table that does not say who owns a row"


def own_rows(rows: pl.DataFrame, user: str | None) -> pl.DataFrame:
    """Return the rows of ``user`` and those of nobody in particular; all where user is None."""
    return rows if user is None else rows.filter(_is_own(user))


def has_rows_of(database: Database, user: str) -> bool:
    """Return whether any row says that it is the user's."""
    return any(
        "user_id" in offered.rows.columns and (offered.rows["user_id"] == user).any()
        for offered in database.values()
    )


def of_user(offered: Database, user: str) -> Database:
    """Return ``offered`` without the rows of other users, but those the user's own refer to.

    Entities and global schemas are shared between users (format, 2.5, 3.1).
    """
    result = dict(offered)
    referred: dict[str, set[str]] = {}
    # What refers comes after what it refers to, so the references are known when they are needed.
    for table in reversed([t for t in TABLES if t.name in offered]):
        rows = offered[table.name].rows
        names = referred.get(table.name, set())
        while True:
            kept = rows.filter(_is_wanted(table, user, names))
            own = _references(table, kept).get(table.name, set())
            if own <= names:
                break
            names |= own
        for other, ids in _references(table, kept).items():
            referred.setdefault(other, set()).update(ids)
        others = rows.join(kept, on=ROWID, how="anti").select(ROWID)
        result[table.name] = offered[table.name].without(others, OTHERS)
    for name in offered.keys() - BY_NAME.keys():
        result[name] = offered[name].without(offered[name].rows.select(ROWID), UNKNOWN)
    return result


def _is_own(user: str) -> pl.Expr:
    return pl.col("user_id").is_null() | (pl.col("user_id") == user)


def _is_wanted(table: Table, user: str, names: set[str]) -> pl.Expr:
    wanted = _is_own(user) if "user_id" in table.names else pl.lit(value=False)
    if "id" in table.names:
        identity = pl.Series("id", sorted(names), dtype=pl.String)
        wanted = wanted | pl.col("id").is_in(identity.implode())
    if table.name == "schema_registry":
        wanted = wanted | (pl.col("scope") == "global")
    return wanted


def _references(table: Table, rows: pl.DataFrame) -> dict[str, set[str]]:
    """Return the ids that rows refer to, by the table they are in."""
    found: dict[str, set[str]] = {}
    for column in table.columns:
        if column.refers in BY_NAME:
            ids = rows[column.name].drop_nulls().unique()
            found.setdefault(str(column.refers), set()).update(ids)
    return found
