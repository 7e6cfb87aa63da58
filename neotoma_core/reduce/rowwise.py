"""The exact reducer on frames: for the few entities that the vectorised one cannot reduce."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import polars as pl

from neotoma_core.policies import Registry
from neotoma_core.reduce.exact import EntitySnapshotRow, ObservationRow, reduce_entity
from neotoma_core.reduce.exact_relationships import (
    RelationshipObservationRow,
    RelationshipSnapshotRow,
    reduce_relationship,
)
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT, RELATIONSHIP_SNAPSHOT

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ExactReduction:
    """Snapshots, and the keys (entity_id or relationship_key) of what has none."""

    snapshots: pl.DataFrame
    without: pl.DataFrame


def reduce_entities_exactly(observations: pl.DataFrame, registry: Registry) -> ExactReduction:
    """Reduce readable observations entity by entity; deleted entities have no snapshot."""
    columns = [field.name for field in fields(ObservationRow)]
    snapshots = {
        entity_id: reduce_entity([ObservationRow(**row) for row in rows], registry)
        for entity_id, rows in _by(observations.select(columns), "entity_id")
    }
    return _exact_reduction(snapshots, "entity_id", ENTITY_SNAPSHOT)


def reduce_relationships_exactly(observations: pl.DataFrame, *, now: str) -> ExactReduction:
    """Reduce readable observations relationship by relationship; on some Neotoma fails."""
    columns = [field.name for field in fields(RelationshipObservationRow)]
    snapshots = {
        key: reduce_relationship([RelationshipObservationRow(**row) for row in rows], now=now)
        for key, rows in _by(observations.select(columns), "relationship_key")
    }
    return _exact_reduction(snapshots, "relationship_key", RELATIONSHIP_SNAPSHOT)


def storable(value: object) -> object:
    """Return a value as SQLite stores it: half a surrogate pair has no UTF-8 and is replaced."""
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def _by(observations: pl.DataFrame, key: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for (value,), rows in observations.group_by(key):
        yield str(value), rows.to_dicts()


def _exact_reduction(
    snapshots: Mapping[str, EntitySnapshotRow | RelationshipSnapshotRow | None],
    key: str,
    schema: Mapping[str, type[pl.DataType]],
) -> ExactReduction:
    rows = [
        {name: storable(value) for name, value in asdict(row).items()}
        for row in snapshots.values()
        if row is not None
    ]
    without = [value for value, row in snapshots.items() if row is None]
    return ExactReduction(
        pl.DataFrame(rows, schema=schema), pl.DataFrame({key: without}, schema={key: pl.String})
    )
