"""Why a stored snapshot is not what the log says, as far as Neotoma's own doing explains it.

Neotoma leaves snapshots stale in ways that are known (format, 7.3, 3.3; messy rules). A stored row
that one of them explains is put right without alarm; one that none explains raises one. Each
explanation is tried: a row is explained only where it equals what Neotoma would have made of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import polars as pl

from neotoma_core.neotoma.cells import cell_of_javascript, sqlite_value
from neotoma_core.neotoma.content_ids import is_proven
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.reduce.exact import reading as exact
from neotoma_core.reduce.exact import relationships as exact_relationships
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.reading import ObservationRow
from neotoma_core.reduce.exact.relationships import RelationshipObservationRow, is_live
from neotoma_core.snapshots.deciding import Stored
from neotoma_core.snapshots.drift import same_value
from neotoma_core.snapshots.reading import Rules

MERGED: Final = "merged since"
SCHEMA: Final = "schema changed since"
USERS: Final = "other user's rows"
CRASHED: Final = "written after a crash"
OLDER: Final = "older rules"
AT_START: Final = "is_live is set when Neotoma next starts"
UNKNOWN: Final = "no known rule explains it"

_LATEST: Final = 8  # observations that one interrupted store leaves behind an entity, at most
_NUMBERS: Final = ("source_priority", "specificity_score")

Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """What is known of how the snapshots of a database came about.

    ``rules``: those of today. ``schemas``: by entity type, every schema its registry ever had.
    ``survivors``: entities that others were merged into.
    """

    rules: Rules
    schemas: Mapping[str, Sequence[Registry]] = field(default_factory=dict)
    survivors: frozenset[str] = frozenset()


def explain_entities(log: pl.DataFrame, stored: Stored, history: History) -> dict[str, str]:
    """Return why entity snapshots are not what they should be, by entity.

    Args:
        log: all observations of the entities in question, with every column, readable and open.
        stored: the snapshots that are there of them; of the others the snapshot is missing.
        history: see ``History``.
    """
    key = "entity_id"
    settled = _why_one_users_are_missing(log, key, stored)
    rows = _rows_by(key, log.filter(~pl.col(key).is_in(list(settled))))
    there = {row[key]: row for row in stored.rows.iter_rows(named=True)}
    columns = stored.compared.columns
    return settled | {
        entity: _explain_entity(own, there.get(entity), columns, history)
        for entity, own in rows.items()
    }


def explain_relationships(log: pl.DataFrame, stored: Stored, history: History) -> dict[str, str]:
    """Return why relationship snapshots are not what they should be, by key; see above."""
    key, ends = "relationship_key", pl.col("source_entity_id", "target_entity_id")
    of_survivors = pl.any_horizontal(ends.is_in(sorted(history.survivors)))
    apart = log.filter(of_survivors)[key].unique()
    settled = _why_one_users_are_missing(
        log.filter(~pl.col(key).is_in(apart.implode())), key, stored
    )
    rows = _rows_by(key, log.filter(~pl.col(key).is_in(list(settled))))
    there = {row[key]: row for row in stored.rows.iter_rows(named=True)}
    columns = stored.compared.columns
    return settled | {
        name: _explain_relationship(own, there.get(name), columns, history)
        for name, own in rows.items()
    }


def _rows_by(key: str, log: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    return {str(name): members.to_dicts() for (name,), members in log.group_by(key)}


def _why_one_users_are_missing(log: pl.DataFrame, key: str, stored: Stored) -> dict[str, str]:
    """Return why there is no snapshot of what one user alone observed, by key: see below."""
    missing = log.join(stored.rows, on=key, how="anti")
    counts = missing.group_by(key).agg(pl.col("user_id", "source_id").n_unique())
    alone = counts.filter(pl.col("user_id") == 1).select(key, "source_id")
    return {name: CRASHED if stores == 1 else UNKNOWN for name, stores in alone.iter_rows()}


def _explain_entity(
    rows: Sequence[Cells], there: Cells | None, columns: Sequence[str], history: History
) -> str:
    if there is None:
        return _why_missing(rows, lambda part: _entity(part, history.rules.registry, history.rules))
    own = [row for row in rows if row["user_id"] == there["user_id"]]
    is_survivor = rows[0]["entity_id"] in history.survivors
    of_type = history.schemas.get(str(there["entity_type"]), ())
    for why, part in _parts(own, rows, "observations", is_survivor=is_survivor):
        for name, registry, rules in _readings(history, of_type):
            made = _entity(part, registry, rules)
            if made is not None and _equal(made, there, _telling_columns(columns, why)):
                return why or name
    return UNKNOWN


def _explain_relationship(
    rows: Sequence[Cells], there: Cells | None, columns: Sequence[str], history: History
) -> str:
    ends = {rows[0]["source_entity_id"], rows[0]["target_entity_id"]}
    is_survivor = bool(ends & history.survivors)
    if there is None:
        return MERGED if is_survivor else _why_missing(rows, _relationship)
    own = [row for row in rows if row["user_id"] == there["user_id"]]
    table = "relationship_observations"
    for why, part in _parts(own, rows, table, is_survivor=is_survivor):
        made = _relationship(part)
        if made is None:
            continue
        if _equal(made, there, _telling_columns(columns, why)):
            return why or UNKNOWN
        others = [name for name in _telling_columns(columns, why) if name != "is_live"]
        if there.get("is_live") == "1" and _equal(made, there, others):
            return why or AT_START
    return UNKNOWN


def _why_missing(rows: Sequence[Cells], reduce: Callable[[Sequence[Cells]], Cells | None]) -> str:
    """Return why there is no snapshot of something that was observed.

    Another user deleted it, and Neotoma takes the one row away whose ever it is; or all of it was
    written by one store, which a crash cut short.
    """
    users = {row["user_id"] for row in rows}
    if any(reduce([row for row in rows if row["user_id"] == user]) is None for user in users):
        return USERS
    return CRASHED if len({row["source_id"] for row in rows}) == 1 else UNKNOWN


def _parts(
    own: Sequence[Cells], everybodys: Sequence[Cells], table: str, *, is_survivor: bool
) -> Iterator[tuple[str, Sequence[Cells]]]:
    """Yield the rows that Neotoma may have reduced, and what came about since."""
    yield "", own
    if len(everybodys) > len(own):
        yield USERS, everybodys
    if is_survivor:
        yield MERGED, [row for row in own if is_proven(table, row)]
    by_age = sorted(own, key=lambda row: (row["created_at"] or "", row[ROWID]))
    for left in range(1, min(_LATEST, len(by_age) - 1) + 1):
        if len({row["source_id"] for row in by_age[-left:]}) > 1:
            return
        yield CRASHED, by_age[:-left]


def _readings(
    history: History, schemas: Sequence[Registry]
) -> Iterator[tuple[str, Registry, Rules]]:
    """Yield the schemas and rules that Neotoma may have reduced by, and what changed since."""
    rules = history.rules
    yield UNKNOWN, rules.registry, rules
    for other in rules.others:
        yield OLDER, rules.registry, rules.reduce_by(other)
    for schema in schemas:
        yield SCHEMA, schema, rules


def _entity(rows: Sequence[Cells], registry: Registry, rules: Rules) -> Cells | None:
    observed = [ObservationRow(**_values(ObservationRow, row)) for row in rows]
    readable = [row for row in observed if exact.is_readable(row)]
    try:
        made = exact.reduce_for_user(readable, registry, rules.rules) if readable else None
    except ReductionFails:
        return None
    return None if made is None else _store(asdict(made))


def _relationship(rows: Sequence[Cells]) -> Cells | None:
    kind = RelationshipObservationRow
    observed = [kind(**_values(kind, row)) for row in rows]
    readable = [row for row in observed if exact_relationships.readable_metadata(row)]
    made = exact_relationships.reduce_for_user(readable, now="") if readable else None
    return None if made is None else _store({**asdict(made), "is_live": int(is_live(readable))})


def _values(kind: type[Any], row: Cells) -> dict[str, Any]:
    cells = {name: row[ROWID if name == "rowid" else name] for name in kind.__dataclass_fields__}
    return {n: sqlite_value(cell) if n in _NUMBERS else cell for n, cell in cells.items()}


def _store(made: dict[str, Any]) -> Cells:
    """Return a snapshot as cells."""
    texts = {n: cell_of_javascript(v) for n, v in made.items() if isinstance(v, str)}
    numbers = {n: str(v) for n, v in made.items() if isinstance(v, int)}
    return {**made, **texts, **numbers}


def _telling_columns(columns: Sequence[str], why: str) -> list[str]:
    """Return the columns that tell; whose a row of all users is depends on who wrote it."""
    return [name for name in columns if why != USERS or name != "user_id"]


def _equal(made: Cells, there: Cells, columns: Sequence[str]) -> bool:
    return all(same_value(made[name], there[name]) for name in columns)
