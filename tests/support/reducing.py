"""Frames of observations as the reducer takes them, and the same rows for the exact one."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from neotoma_core.neotoma.cells import sqlite_value
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.reduce.exact.reading import ObservationRow
from neotoma_core.reduce.exact.relationships import RelationshipObservationRow

_NUMBERS = ("source_priority", "specificity_score", "active", "observation_count", "is_live")


def as_cells(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with numbers as cells, numbered and made when they were observed."""
    numbers = [name for name in _NUMBERS if name in rows.columns]
    cells = rows.with_columns(pl.col(numbers).cast(pl.String))
    if "created_at" not in rows.columns and "observed_at" in rows.columns:
        cells = cells.with_columns(created_at="observed_at")
    if ROWID not in rows.columns:
        cells = cells.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROWID))
    return cells


def observation_rows(cells: pl.DataFrame) -> Iterator[ObservationRow]:
    """Yield rows of ``observations`` as the exact reducer takes them."""
    return (ObservationRow(**_values(ObservationRow, row)) for row in cells.to_dicts())


def relationship_rows(cells: pl.DataFrame) -> Iterator[RelationshipObservationRow]:
    """Yield rows of ``relationship_observations`` as the exact reducer takes them."""
    kind = RelationshipObservationRow
    return (kind(**_values(kind, row)) for row in cells.to_dicts())


def _values(kind: type[Any], row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: row[ROWID if name == "rowid" else name] for name in kind.__dataclass_fields__}
    return {n: sqlite_value(v) if n in _NUMBERS else v for n, v in values.items()}
