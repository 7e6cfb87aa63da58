"""What an erasure explains of a loss: counts of before, less what was erased since."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive.append import default_archive
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import DESCRIPTION, open_archive
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.erased.naming import naming_columns
from neotoma_core.ledger.file import read_erased
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, ROW_HASH, key_of
from neotoma_core.row_versions.versions import latest

_ENTITIES: Final = "entities"
_OBSERVATIONS: Final = "observations"
_TYPE: Final = "entity_type"


def without_erased(history: Sequence[Counts], vault: Path) -> list[Counts]:
    """Return counts of before without the rows that are erased, which the archive still has.

    Of each row its last version counts. Snapshots of what is erased went with it.
    """
    erased = read_erased(vault)
    place = default_archive(vault)
    if not erased or not (place / DESCRIPTION).exists():
        return list(history)
    archive = open_archive(place)
    gone: dict[str, int] = {}
    ids: set[str] = set()
    types: dict[str, int] = {}
    for table in ARCHIVED:
        key = key_of(table.name)
        names = [key, ROW_HASH, ARCHIVED_AT, *naming_columns(table.name, table.names)]
        names += [_TYPE] if table.name == _ENTITIES else []
        rows = latest(read_table(archive, table.name, tuple(dict.fromkeys(names))).rows, key)
        hit = rows.filter(erased.rows_in(table.name, rows))
        gone[table.name] = hit.height
        if table.name == _OBSERVATIONS:
            ids = set(hit[key].drop_nulls())
        if table.name == _ENTITIES:
            types = dict(hit.group_by(_TYPE).agg(pl.len()).iter_rows())
    gone["entity_snapshots"] = gone[_ENTITIES]
    gone["relationship_snapshots"] = gone.get("relationship_observations", 0)
    return [_less(counts, gone, types, ids) for counts in history]


def _less(counts: Counts, gone: dict[str, int], types: dict[str, int], ids: set[str]) -> Counts:
    return replace(
        counts,
        observations=max(0, counts.observations - gone[_OBSERVATIONS]),
        tables={name: max(0, n - gone.get(name, 0)) for name, n in counts.tables.items()},
        types={name: max(0, n - types.get(name, 0)) for name, n in counts.types.items()},
        sample=tuple(name for name in counts.sample if name not in ids),
    )
