"""The exact reducer on frames: for the few entities that the vectorised one cannot reduce."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import polars as pl

from neotoma_core.neotoma.cells import cell_of_javascript, sqlite_value
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.reading import EntitySnapshotRow, ObservationRow, reduce_for_user
from neotoma_core.reduce.exact.relationships import (
    RelationshipObservationRow,
    RelationshipSnapshotRow,
    is_live,
)
from neotoma_core.reduce.exact.relationships import reduce_for_user as reduce_relationship
from neotoma_core.reduce.exact.rule_sets import RuleSet
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT, RELATIONSHIP_SNAPSHOT

_TAKEN: Final = {"rowid": ROWID}
_CELLS: Final = ("source_priority", "specificity_score")


@dataclass(frozen=True, slots=True)
class ExactReduction:
    """``snapshots``: ``group`` and the snapshot. ``failed``: (group, reason)."""

    snapshots: pl.DataFrame
    failed: pl.DataFrame


def reduce_entities_exactly(
    observations: pl.DataFrame, registry: Registry, rules: RuleSet
) -> ExactReduction:
    """Reduce readable observations group by group."""

    def reduce_one(rows: list[ObservationRow]) -> EntitySnapshotRow | None:
        return reduce_for_user(rows, registry, rules)

    return _reduce_groups(observations, ObservationRow, reduce_one, ENTITY_SNAPSHOT)


def reduce_relationships_exactly(observations: pl.DataFrame, *, now: str) -> pl.DataFrame:
    """Reduce readable observations group by group, as if all were live; on some Neotoma fails."""

    def reduce_one(rows: list[RelationshipObservationRow]) -> RelationshipSnapshotRow | None:
        return reduce_relationship(rows, now=now)

    kind = RelationshipObservationRow
    return _reduce_groups(observations, kind, reduce_one, RELATIONSHIP_SNAPSHOT).snapshots


def dead_exactly(observations: pl.DataFrame) -> pl.Series:
    """Return the subjects of readable observations that are not live."""
    dead = [
        number
        for number, rows in _by(observations, "subject")
        if not is_live([_row_of(RelationshipObservationRow, row) for row in rows])
    ]
    return pl.Series("subject", dead, dtype=observations["subject"].dtype)


def _reduce_groups(
    observations: pl.DataFrame,
    kind: type[Any],
    reduce: Callable[[list[Any]], EntitySnapshotRow | RelationshipSnapshotRow | None],
    schema: Mapping[str, type[pl.DataType]],
) -> ExactReduction:
    rows: list[dict[str, object]] = []
    failed: list[tuple[int, str]] = []
    for number, members in _by(observations, "group"):
        try:
            snapshot = reduce([_row_of(kind, row) for row in members])
        except ReductionFails as error:
            failed.append((number, str(error)))
            continue
        if snapshot is not None:
            cells = {name: _store(value) for name, value in asdict(snapshot).items()}
            rows.append({"group": number, **cells})
    number_type = observations["group"].dtype
    return ExactReduction(
        pl.DataFrame(rows, schema={"group": number_type, **schema}),
        pl.DataFrame(failed, schema={"group": number_type, "reason": pl.String}, orient="row"),
    )


def _row_of(kind: type[Any], row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of the kind given
    cells = {name: row[_TAKEN.get(name, name)] for name in kind.__dataclass_fields__}
    exact = {n: sqlite_value(row[f"{n}_cell"]) for n in _CELLS if n in cells}
    return kind(**{**cells, **exact})


def _store(value: object) -> object:
    """Return a value as SQLite stores it: half a surrogate pair becomes bytes."""
    return cell_of_javascript(value) if isinstance(value, str) else value


def _by(observations: pl.DataFrame, key: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    for (value,), rows in observations.group_by(key):
        yield int(str(value)), rows.to_dicts()
