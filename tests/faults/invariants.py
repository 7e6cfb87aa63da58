"""What must hold of merge histories, whichever copies were merged in whichever order (rule e)."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Cells = Mapping[str, Any]
_RANK = ("sensor", "workflow_state", "llm_summary", "human", "import", "sync")


@dataclass(frozen=True, slots=True)
class Group:
    """Entities that were merged differently in the copies.

    ``observations``: the ids that any copy holds. ``edges``: of each edge observation of any copy,
    the (type, source, target) that it has in one copy or another. ``together``: pairs that every
    copy, or the later of two, merged.
    """

    name: str
    entities: frozenset[str]
    observations: tuple[str, ...]
    edges: tuple[tuple[tuple[str, str, str], ...], ...]
    together: tuple[tuple[str, str], ...]


def read_groups(path: Path) -> list[Group]:
    return [
        Group(
            name=group["name"],
            entities=frozenset(group["entities"]),
            observations=tuple(group["observations"]),
            edges=tuple(tuple(map(tuple, versions)) for _, versions in group["edges"]),
            together=tuple(map(tuple, group["together"])),
        )
        for group in json.loads(path.read_text())
    ]


class History:
    """The merge histories of one database."""

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            self.pointers = dict(
                connection.execute("SELECT id, merged_to_entity_id FROM entities").fetchall()
            )
            observations = connection.execute("SELECT * FROM observations").fetchall()
            self.edges = connection.execute("SELECT * FROM relationship_observations").fetchall()
            self.edge_snapshots = connection.execute(
                "SELECT * FROM relationship_snapshots"
            ).fetchall()
            stored = connection.execute("SELECT * FROM entity_snapshots").fetchall()
        self.snapshots: dict[str, Cells] = {row["entity_id"]: row for row in stored}
        self.owners = Counter(row["id"] for row in observations)
        self.rows: dict[str, list[Cells]] = defaultdict(list)
        for row in observations:
            self.rows[row["entity_id"]].append(row)

    def survivor(self, entity: str) -> str | None:
        """Return the living entity that pointers lead to; None in a circle or into nowhere."""
        passed = set()
        while self.pointers.get(entity):
            if entity in passed:
                return None
            passed.add(entity)
            entity = self.pointers[entity]
        return entity if entity in self.pointers else None

    def find_broken(self, group: Group) -> list[str]:
        """Return what does not hold of a group, once per place."""
        return [
            *self._log(group),
            *self.find_broken_pointers(group),
            *self._edges(group),
            *self._states(group),
        ]

    def _log(self, group: Group) -> Iterator[str]:
        holders = {row["id"]: owner for owner, rows in self.rows.items() for row in rows}
        for identifier in group.observations:
            if self.owners[identifier] != 1:
                yield f"observation there {self.owners[identifier]} times"
            elif self.pointers.get(holders[identifier], "") is not None:
                yield "observation on no living entity"

    def find_broken_pointers(self, group: Group) -> Iterator[str]:
        """Yield what does not hold of the pointers of a group."""
        for entity in group.entities:
            if self.survivor(entity) is None:
                yield "pointers in a circle or into nowhere"
            if self.pointers[entity] and entity in self.snapshots:
                yield "snapshot of a merged-away entity"
        for one, other in group.together:
            if self.survivor(one) != self.survivor(other):
                yield "a merged pair is apart"

    def _edges(self, group: Group) -> Iterator[str]:
        for row in (*self.edges, *self.edge_snapshots):
            ends = (row["source_entity_id"], row["target_entity_id"])
            if not group.entities.intersection(ends):
                continue
            if any(self.pointers[end] for end in ends):
                yield "edge on a merged-away entity"
            if ends[0] == ends[1]:
                yield "edge from an entity to itself"
            if row["relationship_key"] != ":".join((row["relationship_type"], *ends)):
                yield "edge whose key is not its ends"
        keys = {row["relationship_key"] for row in self.edges}
        for versions in group.edges:
            ended = [(kind, self.survivor(a), self.survivor(b)) for kind, a, b in versions]
            if not any(a == b or f"{kind}:{a}:{b}" in keys for kind, a, b in ended):
                yield "edge lost"
        snapshots = self._of(self.edge_snapshots, group)
        if self._of(self.edges, group) != snapshots:
            yield "edge without snapshot, or the other way round"

    @staticmethod
    def _of(rows: Iterable[Cells], group: Group) -> set[str]:
        return {
            row["relationship_key"] for row in rows if row["source_entity_id"] in group.entities
        }

    def _states(self, group: Group) -> Iterator[str]:
        for entity in group.entities:
            if self.pointers[entity]:
                continue
            wanted = reduce(self.rows[entity])
            found = self.snapshots.get(entity)
            if wanted is None or found is None:
                if wanted is not None or found is not None:
                    yield "snapshot missing or left over"
                continue
            parts = (
                json.loads(found["snapshot"]),
                json.loads(found["provenance"]),
                found["observation_count"],
                found["last_observation_at"],
            )
            if parts != wanted:
                yield "snapshot is not the reduction of its observations"


def reduce(rows: list[Cells]) -> tuple[dict[str, Any], dict[str, Any], int, str] | None:
    """Reduce observations of a type without a schema: the newest value of each field.

    Returns values, provenance, count and newest time; None without observations, or for an entity
    that is deleted.
    """
    if not rows:
        return None
    newest_first = sorted(sorted(rows, key=lambda r: r["id"]), key=_observed_at, reverse=True)
    decisive = max(newest_first, key=_weight)
    if json.loads(decisive["fields"]).get("_deleted") is True:
        return None
    values: dict[str, Any] = {}
    provenance: dict[str, Any] = {}
    for row in newest_first:
        for name, value in json.loads(row["fields"]).items():
            if name not in provenance:
                values[name], provenance[name] = value, row["id"]
    empty = [name for name, value in values.items() if value is None]
    for name in empty:
        del values[name], provenance[name]
    return values, provenance, len(rows), newest_first[0]["observed_at"]


def _observed_at(row: Cells) -> str:
    return str(row["observed_at"])


def _weight(row: Cells) -> tuple[float, int]:
    source = row["observation_source"]
    rank = _RANK.index(source) if source in _RANK else len(_RANK)
    return (row["source_priority"] or 0, -rank)
