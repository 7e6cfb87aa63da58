"""Whether a loss is one: counts of before are compared without what was erased since."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import ARCHIVE_FOLDER, DESCRIPTION, Archive, open_archive
from neotoma_core.comparison.anomaly import HISTORY, Alarm, Counts, find_anomalies
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import naming_columns
from neotoma_core.ledger.file import Ledger, find_erased_since, read_ledger
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, ROW_HASH, key_of
from neotoma_core.row_versions.versions import latest

Counted = tuple[datetime, Counts]
"""What was counted of a database, and when."""

_ENTITIES: Final = "entities"
_OBSERVATIONS: Final = "observations"
_EDGES: Final = "relationship_observations"
_TYPE: Final = "entity_type"


def find_losses(counts: Counts, history: Sequence[Counted], vault: Path) -> tuple[Alarm, ...]:
    """Return what is less than it should be, other than by what a vault erased meanwhile.

    ``history``: see ``find_anomalies``. An erasure explains only what was counted before it, and
    only as far as the vault's archive still has the rows: what nobody can tell stays an alarm.
    Raises VaultDamaged.
    """
    recent = history[-HISTORY:]
    found = find_anomalies(counts, [before for _, before in recent])
    if not found:
        return ()
    ledger, place = read_ledger(vault), vault / ARCHIVE_FOLDER
    if not ledger.events or not (place / DESCRIPTION).exists():
        return found
    explained = subtract_erased(recent, ledger, open_archive(place))
    return find_anomalies(counts, explained)


def subtract_erased(history: Sequence[Counted], ledger: Ledger, archive: Archive) -> list[Counts]:
    """Return counts, each without the rows that were erased after it was counted.

    Of each row that the archive has its last version counts. Snapshots of what is erased went with
    it.
    """
    versions = {table.name: _last_versions(archive, table.name) for table in ARCHIVED}
    less: dict[int, _Erased] = {}
    found = []
    for moment, counts in history:
        erased = find_erased_since(ledger, moment)
        size = sum(map(len, erased.hashes.values()))  # erasures only add: the size names the set
        if size not in less:
            less[size] = _Erased.of(erased, versions)
        found.append(less[size].subtract_from(counts))
    return found


class _Erased:
    """The rows that are erased: how many by table, entities by type, the ids of observations."""

    def __init__(self, tables: dict[str, int], types: dict[str, int], ids: set[str]) -> None:
        self._tables = tables
        self._types = types
        self._ids = ids

    @classmethod
    def of(cls, erased: ErasedIds, versions: Mapping[str, pl.DataFrame]) -> "_Erased":
        """Return what of the last versions, by table, is erased."""
        hit = {
            name: rows.filter(erased.rows_in(name, rows)) if erased else rows.clear()
            for name, rows in versions.items()
        }
        tables = {name: rows.height for name, rows in hit.items()}
        tables["entity_snapshots"] = tables[_ENTITIES]
        tables["relationship_snapshots"] = tables[_EDGES]
        types = dict(hit[_ENTITIES].group_by(_TYPE).agg(pl.len()).iter_rows())
        ids = set(hit[_OBSERVATIONS][key_of(_OBSERVATIONS)].drop_nulls())
        return cls(tables, types, ids)

    def subtract_from(self, counts: Counts) -> Counts:
        """Return counts without these rows."""
        return replace(
            counts,
            observations=max(0, counts.observations - self._tables[_OBSERVATIONS]),
            tables=_less(counts.tables, self._tables),
            types=_less(counts.types, self._types),
            sample=tuple(name for name in counts.sample if name not in self._ids),
        )


def _last_versions(archive: Archive, table: str) -> pl.DataFrame:
    """Return of each row of a table its last version, as far as it names anything."""
    key = key_of(table)
    known = next(one for one in ARCHIVED if one.name == table)
    names = [key, ROW_HASH, ARCHIVED_AT, *naming_columns(table, known.names)]
    names += [_TYPE] if table == _ENTITIES else []
    return latest(read_table(archive, table, tuple(dict.fromkeys(names))).rows, key)


def _less(counts: Mapping[str, int], gone: Mapping[str, int]) -> dict[str, int]:
    return {name: max(0, number - gone.get(name, 0)) for name, number in counts.items()}
