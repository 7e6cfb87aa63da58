"""Relationship snapshots, one relationship at a time: a plain reading of Neotoma's rules.

Upstream: relationship_reducer.ts and, for is_live, backfillRelationshipLiveness of
sqlite_client.ts, both of v0.22.0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from neotoma_core.neotoma.cells import SqlValue, sql_order, with_javascript_texts
from neotoma_core.neotoma.json import (
    JsonValue,
    NotJson,
    collation_key,
    in_object_order,
    instant_ms,
    parse_json,
    stringify,
)
from neotoma_core.reduce.exact.sort import sort_as_v8
from neotoma_core.reduce.exact.strategies import Picked, Stated, by_time_and_id
from neotoma_core.reduce.exact.users import NOBODY, Owner, by_user

SCHEMA_VERSION: Final = "1.0"
"""Relationships have no schemas."""

_PROTOTYPE: Final = "__proto__"
"""Assigning to this key of a JavaScript object makes no key: it never reaches a snapshot."""

_TEXTS: Final = (
    *("id", "relationship_type", "source_entity_id", "target_entity_id", "observed_at"),
    *("metadata", "user_id", "created_at"),
)
"""What JavaScript reads as text; the relationship keeps its cell, which is its key."""


@dataclass(frozen=True, slots=True)
class RelationshipObservationRow:
    """What the reducer reads of a row of ``relationship_observations``; texts are cells."""

    id: str
    relationship_key: str
    relationship_type: str
    source_entity_id: str
    target_entity_id: str
    observed_at: str | None
    source_priority: SqlValue
    metadata: str | None
    user_id: str | None
    created_at: str | None
    rowid: int


@dataclass(frozen=True, slots=True)
class RelationshipSnapshotRow:
    """A row of ``relationship_snapshots``; ``is_live`` is 0 or 1."""

    relationship_key: str
    relationship_type: str
    source_entity_id: str
    target_entity_id: str
    schema_version: str
    snapshot: str
    computed_at: str
    observation_count: int
    last_observation_at: str | None
    provenance: str
    user_id: str | None
    is_live: int


def readable_metadata(row: RelationshipObservationRow) -> bool:
    """Tell whether the row's metadata are NULL or a JSON object (JSON null counts as NULL)."""
    try:
        _metadata_of(with_javascript_texts(row, _TEXTS))
    except ValueError:
        return False
    return True


def reduce_relationship(
    rows: Sequence[RelationshipObservationRow], owner: Owner = NOBODY, *, now: str
) -> RelationshipSnapshotRow | None:
    """Return the snapshot of one relationship, or None where Neotoma fails and has none.

    Rows: every observation of one relationship_key, in any order, ids unique; those without
    ``readable_metadata`` are left out. Users share relationships as they share entities; see
    ``reduce_entity``.
    Whether it is live, all users' observations say. ``now`` becomes computed_at: Neotoma writes
    the wall clock.

    Neotoma fails on a key that is only ever null, and on NULL metadata next to an observation
    that has keys. If all metadata are NULL the snapshot is ``{}``. A deleted relationship keeps
    its snapshot, with ``_deleted`` in it.

    Raises:
        ValueError: None of the rows is readable.
    """
    of_users = by_user([with_javascript_texts(row, _TEXTS) for row in rows], owner)
    legible = [[row for row in theirs if readable_metadata(row)] for theirs in of_users]
    if not any(legible):
        raise ValueError("a relationship without a readable observation has no snapshot")
    reduced = (reduce_for_user(own, now=now) for own in legible if own)
    found = next((snapshot for snapshot in reduced if snapshot is not None), None)
    return found and replace(found, is_live=int(is_live([row for own in legible for row in own])))


def reduce_for_user(
    rows: Sequence[RelationshipObservationRow], *, now: str
) -> RelationshipSnapshotRow | None:
    """Return the snapshot of some observations as if one user made them; None where it fails."""
    in_order = _as_merge_reads([with_javascript_texts(row, _TEXTS) for row in rows])
    metadata = {row.id: _metadata_of(row) for row in in_order}
    latest_first = sort_as_v8([_state(row, metadata[row.id]) for row in in_order], by_time_and_id)
    observed_at = {row.id: row.observed_at for row in in_order}
    picked = _pick_keys(latest_first)
    nothing_to_read = any(value is None for value in metadata.values())
    if picked is None or (picked and nothing_to_read):
        return None
    picked.pop(_PROTOTYPE, None)
    first = in_order[0]
    return RelationshipSnapshotRow(
        relationship_key=first.relationship_key,
        relationship_type=first.relationship_type,
        source_entity_id=first.source_entity_id,
        target_entity_id=first.target_entity_id,
        schema_version=SCHEMA_VERSION,
        snapshot=stringify(in_object_order({n: p.value for n, p in picked.items()})),
        computed_at=now,
        observation_count=len(rows),
        last_observation_at=observed_at[latest_first[0].id],
        provenance=stringify(in_object_order({n: p.provenance for n, p in picked.items()})),
        user_id=first.user_id,
        is_live=1,
    )


def is_live(rows: Sequence[RelationshipObservationRow]) -> bool:
    """Tell whether the observation that decides does not say deleted.

    It is the one of highest priority, then of latest observed_at as text, NULL after all others;
    if two are still equal, the one of lower id (Neotoma leaves that to SQLite). Deleted is what
    SQLite takes for it: true, 1 and the string "true".
    """
    by_id = sorted((with_javascript_texts(row, _TEXTS) for row in rows), key=lambda row: row.id)
    decisive = max(by_id, key=_decides_before)
    deleted = (_metadata_of(decisive) or {}).get("_deleted")
    return deleted not in ("true", 1)


def _decides_before(row: RelationshipObservationRow) -> tuple[object, ...]:
    return sql_order(row.source_priority), sql_order(row.observed_at)


def _as_merge_reads(
    rows: Sequence[RelationshipObservationRow],
) -> list[RelationshipObservationRow]:
    """Return rows with observed_at, as text, descending, NULL last, and ids ascending."""
    by_id = sorted(rows, key=lambda row: row.id)
    return sorted(
        by_id, key=lambda row: (row.observed_at is not None, row.observed_at or ""), reverse=True
    )


def _pick_keys(latest_first: Sequence[Stated]) -> dict[str, Picked] | None:
    """Return the latest value of every key, null being none; None if a key has no other value."""
    picked: dict[str, Picked] = {}
    for name in dict.fromkeys(name for stated in latest_first for name in stated.fields):
        having = [stated for stated in latest_first if stated.fields.get(name) is not None]
        if not having:
            return None
        picked[name] = Picked(having[0].fields[name], having[0].id)
    return picked


def _state(row: RelationshipObservationRow, metadata: Mapping[str, JsonValue] | None) -> Stated:
    return Stated(
        id=row.id,
        instant=instant_ms(row.observed_at),
        place=collation_key(row.id),
        source_priority=None,
        specificity_score=0,
        observation_source=None,
        fields=metadata or {},
    )


def _metadata_of(row: RelationshipObservationRow) -> dict[str, JsonValue] | None:
    try:
        value = None if row.metadata is None else parse_json(row.metadata)
    except NotJson:
        value = False
    if value is not None and not isinstance(value, dict):
        raise ValueError("relationship metadata that are not a JSON object cannot be reduced")
    return value
