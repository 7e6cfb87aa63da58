"""Which rows of a large target a merge can touch, and which of a backup the target has alike.

Only the others are read. What becomes of a row must then follow from the row itself and those with
its keys: so there is one backup, nothing in the target is sealed, nothing was erased, and the
target knows of every schema and of every merge of entities that the backup does. Anything else is
read whole; the result is the same.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.comparison import alike
from neotoma_core.lineage.offers import secondary_keys
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.neotoma.tables import BY_NAME, MERGED
from neotoma_core.runs.run import Run
from neotoma_core.sources.erased import find_erased_for
from neotoma_core.sources.extract import Extract, Opened
from neotoma_core.sources.wanted import Wanted
from neotoma_core.sqlite.picked_rows import holds_sealed_cells

LARGE: Final = 50_000  # rows, from which on a table is not read for the sake of a few
FEW: Final = 0.5  # of its rows
Picked = Mapping[str, pl.Series]

_AUDITS: Final = ("entity_merges", "entity_splits")
_REGISTRY: Final = "schema_registry"
_SCHEMA: Final = (
    "entity_type",
    "schema_version",
    "scope",
    "user_id",
    "active",
    "schema_definition",
    "reducer_config",
)
_ALSO: Final = {
    "observations": (("entity_id", alike.MERGED_AWAY),),
    "entities": (("id", alike.MERGED_AWAY), ("id", alike.SURVIVORS)),
}
"""By table, columns and the ids for which a row is read anyway: merges of entities decide on it."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """``tables``: those that need not be read whole. ``unlike``: rows of the backup to read.

    ``derived``: tables of snapshots that are compared once it is known which ones matter.
    """

    tables: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    unlike: Picked = field(default_factory=dict)


def narrow(run: Run, wanted: Wanted, opened: Sequence[Opened]) -> Narrowing:
    """Decide what need not be read of the target and the backup."""
    databases = {one.database.number: one for one in opened}
    whole = Narrowing()
    if databases.keys() != {TARGET, 0} or not _only_rows_decide(run, wanted):
        return whole
    target, backup = databases[TARGET], databases[0]
    if backup.database.suspect:
        return whole
    derived = frozenset(_large(target, kind="derived"))
    names = [t for t in _large(target, kind="merged") if _has_key(target, backup, t)]
    # What the backup has alike is no more sealed than the target's; its other rows are all read.
    if not names or _holds_sealed(target):
        return whole
    with alike.side_by_side(backup.whole, target.whole) as connection:
        if not _knows_all(connection, target, backup):
            return whole
        if alike.merges_entities(connection):
            # An edge may give way to another, by keys that neither has yet.
            names = [name for name in names if name != "relationship_observations"]
        unlike = dict(_unlike(connection, target, backup, names))
    return Narrowing(frozenset(names), derived, unlike)


def pick_touched(narrowing: Narrowing, target: Opened, backup: Extract, whole: Opened) -> Picked:
    """Return the rows of the target to read, once those of the backup have been."""
    picked: dict[str, pl.Series] = {n: pl.Series([], dtype=pl.Int64) for n in narrowing.derived}
    with alike.side_by_side(whole.whole, target.whole) as connection:
        for name in narrowing.tables:
            table = BY_NAME[name]
            stored = target.table(name)
            offered = backup.rows(name)
            columns = set(_common_columns(target, whole, name)) or set(table.key)
            keys = [k for k in (table.key, *secondary_keys(table)) if columns.issuperset(k)]
            also = _read_anyway("target", name)
            rows = alike.find_touched_rows(connection, table, keys, offered, also)
            if stored is not None and rows.len() <= FEW * stored.rows:
                picked[name] = rows
    return picked


def _only_rows_decide(run: Run, wanted: Wanted) -> bool:
    """Return whether neither what was asked for nor an erasure needs more than the rows."""
    return wanted.only_rows_decide and not find_erased_for(run)


def _large(target: Opened, *, kind: str) -> Iterator[str]:
    """Yield the large tables of the target that are merged or derived."""
    merged = {t.name for t in MERGED if t.key == ("id",) and not t.match} - set(_AUDITS)
    derived = {"entity_snapshots", "relationship_snapshots"}
    wanted = merged if kind == "merged" else derived
    for table in target.inspection.tables:
        if table.name in wanted and table.rows >= LARGE and not table.barred:
            yield table.name


def _has_key(target: Opened, backup: Opened, name: str) -> bool:
    """Return whether a table has its key, and is plain, in both databases."""
    key = BY_NAME[name].key
    found = [t for t in (target.table(name), backup.table(name)) if t is not None]
    return all(t.facts.key == key and t.facts.rowid == "rowid" and not t.barred for t in found)


def _holds_sealed(target: Opened) -> bool:
    return any(
        holds_sealed_cells(target.whole, BY_NAME[stored.name], stored.columns)
        for stored in target.inspection.tables
        if stored.name in BY_NAME and stored.rows
    )


def _knows_all(connection: sqlite3.Connection, target: Opened, backup: Opened) -> bool:
    """Return whether the target knows every schema, merge and split that the backup does."""
    tables = ("entities", *_AUDITS, _REGISTRY)
    if any(target.table(name) is None for name in tables):
        return False
    compared = {name: _common_columns(target, backup, name) for name in _AUDITS}
    compared[_REGISTRY] = [c for c in _common_columns(target, backup, _REGISTRY) if c in _SCHEMA]
    return all(
        alike.has_all(connection, name, columns) for name, columns in compared.items() if columns
    ) and alike.has_all_pointers(connection)


def _unlike(
    connection: sqlite3.Connection,
    target: Opened,
    backup: Opened,
    names: Sequence[str],
) -> Iterator[tuple[str, pl.Series]]:
    for name in names:
        stored = backup.table(name)
        if stored is not None and stored.rows >= LARGE:
            also = _read_anyway("backup", name)
            yield (
                name,
                alike.unlike_rows(
                    connection,
                    BY_NAME[name],
                    _common_columns(target, backup, name),
                    " OR ".join(also) or "false",
                ),
            )


def _read_anyway(side: str, name: str) -> list[str]:
    """Return which rows of a table are read in any case, as conditions on one of the databases."""
    return [f"{side}.{column} IN ({ids})" for column, ids in _ALSO.get(name, ())]


def _common_columns(target: Opened, backup: Opened, name: str) -> list[str]:
    """Return the columns that a table has in both databases; none where one lacks the table."""
    one, other = target.table(name), backup.table(name)
    return [c for c in one.columns if c in other.columns] if one and other else []
