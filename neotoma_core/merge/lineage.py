"""Which entity stands for which, by what every database knows of merges and splits of entities.

A merge of entities rewrites rows in place (format, 7.3, 7.4), so two databases may hold one row
under two owners. Whoever knows of the merge is right, in every mode.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from neotoma_core.canonical import instant_ms
from neotoma_core.merge.frames import Offered

Database = Mapping[str, Offered]
_NEVER: Final = float("-inf")
_Place = tuple[str | None, str]  # (user, entity); None is any user

OWNERS: Final = pl.Schema({"entity_id": pl.String, "user_id": pl.String, "owner": pl.String})
POINTERS: Final = pl.Schema({"id": pl.String, "to": pl.String, "at": pl.String})


@dataclass(frozen=True, slots=True)
class _Step:
    """One entity taking over from another, for the rows of one user or (None) of all."""

    user: str | None
    old: str
    new: str
    at: str | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The merges and splits of entities that any database knows of.

    ``merges``: who stands for an entity, free of cycles. ``splits``: the entities that were split
    off another. ``pointers``: (id, to, at), one row per merged entity, as its own row should say.
    ``contradicted``: entities that were merged into different ones; the earlier merge counts.
    """

    merges: Mapping[_Place, str] = field(default_factory=dict)
    splits: Mapping[_Place, frozenset[str]] = field(default_factory=dict)
    pointers: pl.DataFrame = field(default_factory=POINTERS.to_frame)
    contradicted: tuple[str, ...] = ()

    def survivor(self, entity: str, user: str | None) -> str:
        """Return the entity that stands for ``entity`` in the rows of ``user``, be it itself."""
        return list(self.ways(entity, user))[-1]

    def ways(self, entity: str, user: str | None) -> dict[str, None]:
        """Return an entity and those that took over from it, one after another."""
        seen: dict[str, None] = {}
        after: str | None = entity
        while after is not None and after not in seen:
            seen[after] = None
            after = self._next(after, user)
        return seen

    def owners(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return (entity_id, user_id, owner) of the places among ``rows`` that have a new owner.

        ``rows``: (entity_id, user_id) of any rows.
        """
        merged = pl.Series("entity_id", [old for _, old in self.merges], dtype=pl.String)
        places = rows.select("entity_id", "user_id").filter(
            pl.col("entity_id").is_in(merged.unique().implode())
        )
        found = (
            (entity, user, self.survivor(entity, user))
            for entity, user in places.unique().iter_rows()
        )
        moved = [place for place in found if place[0] != place[2]]
        return pl.DataFrame(moved, schema=OWNERS, orient="row").sort(OWNERS.names())

    def latest_owner(self, owners: Iterable[str], user: str | None) -> str | None:
        """Return the one of some owners of a row that splits lead to from all others, if any."""
        named = set(owners)
        ends = [owner for owner in named if all(self._leads(o, owner, user) for o in named)]
        return ends[0] if len(ends) == 1 else None

    def _next(self, entity: str, user: str | None) -> str | None:
        return self.merges.get((user, entity), self.merges.get((None, entity)))

    def _leads(self, start: str, end: str, user: str | None) -> bool:
        reached, waiting = {start}, [start]
        while waiting:
            entity = waiting.pop()
            after = {*self.splits.get((user, entity), ()), *self.splits.get((None, entity), ())}
            if (survivor := self._next(entity, user)) is not None:
                after.add(survivor)
            waiting += after - reached
            reached |= after
        return end in reached


def lineage_of(databases: Sequence[Database]) -> Lineage:
    """Read the lineage of the target and its backups; their order makes no difference."""
    splits = [step for database in databases for step in _splits(database["entity_splits"].rows)]
    audited = {
        step.old for database in databases for step in _merges(database["entity_merges"].rows)
    }
    given_back = _given_back(splits)
    known = [step for database in databases for step in _known(database, audited)]
    there = _present(databases, {step.new for step in known})
    steps = [
        step
        for step in known
        if step.new in there
        and _moment(step.at)
        >= max(given_back.get((u, step.old), _NEVER) for u in (step.user, None))
    ]
    steps.sort(key=lambda step: (_moment(step.at), step.user or "", step.old, step.new))
    merges: dict[_Place, str] = {}
    ignored: list[_Step] = []
    for step in steps:
        if merges.get((step.user, step.old)) == step.new:
            continue
        if (step.user, step.old) in merges or _closes(merges, step):
            ignored.append(step)
        else:
            merges[step.user, step.old] = step.new
    lineage = Lineage(merges, _targets(splits), _pointers(databases, steps, merges))
    contradicted = {
        step.old
        for step in ignored
        if lineage.survivor(step.old, step.user) != lineage.survivor(step.new, step.user)
    }
    return replace(lineage, contradicted=tuple(sorted(contradicted)))


def _present(databases: Sequence[Database], entities: set[str]) -> set[str]:
    """Return those of some entities that any database holds."""
    named = pl.Series("id", sorted(entities), dtype=pl.String).implode()
    ids = (database["entities"].rows["id"] for database in databases)
    return {found for held in ids for found in held.filter(held.is_in(named))}


def _known(database: Database, audited: set[str]) -> Iterator[_Step]:
    """Yield the merges one database knows of: by its audit rows, else by its entities' pointers.

    Only an audit row says whose rows were merged: entities are shared between users.
    """
    yield from _merges(database["entity_merges"].rows)
    for entity, survivor, at in _pointing(database["entities"].rows).iter_rows():
        if entity not in audited:
            yield _Step(None, entity, survivor, at)


def _merges(rows: pl.DataFrame) -> list[_Step]:
    return _steps(rows, "from_entity_id", "to_entity_id")


def _splits(rows: pl.DataFrame) -> list[_Step]:
    return _steps(rows, "source_entity_id", "new_entity_id")


def _steps(rows: pl.DataFrame, old: str, new: str) -> list[_Step]:
    named = rows.drop_nulls([old, new]).filter(pl.col(old) != pl.col(new), pl.col(new) != "")
    ordered = named.select("user_id", old, new, "created_at").sort(pl.all(), nulls_last=True)
    return [_Step(*row) for row in ordered.iter_rows()]


def _pointing(entities: pl.DataFrame) -> pl.DataFrame:
    """Return (id, to, at) of the entities whose row names another that stands for them."""
    to = pl.col("merged_to_entity_id")
    return (
        entities.drop_nulls("id")
        .filter(to.is_not_null() & (to != "") & (to != pl.col("id")))
        .select("id", to=to, at="merged_at")
        .sort("id")
    )


def _given_back(splits: Iterable[_Step]) -> dict[_Place, float]:
    """Return when an entity was last split off: that gives back what a merge had taken before."""
    moments: dict[_Place, float] = {}
    for split in splits:
        place = (split.user, split.new)
        moments[place] = max(moments.get(place, _NEVER), _moment(split.at))
    return moments


def _moment(text: str | None) -> float:
    instant = instant_ms(text)
    return _NEVER if instant is None else instant


def _closes(merges: Mapping[_Place, str], step: _Step) -> bool:
    """Return whether a step would lead back to where it starts, in the rows of any user."""
    walk = Lineage(merges)
    users = {step.user} if step.user else {None, *(user for user, _ in merges)}
    return any(step.old in walk.ways(step.new, user) for user in users)


def _targets(splits: Iterable[_Step]) -> dict[_Place, frozenset[str]]:
    targets: dict[_Place, set[str]] = {}
    for step in splits:
        targets.setdefault((step.user, step.old), set()).add(step.new)
    return {place: frozenset(entities) for place, entities in targets.items()}


def _pointers(
    databases: Sequence[Database], steps: Iterable[_Step], merges: Mapping[_Place, str]
) -> pl.DataFrame:
    """Return what the rows of merged entities should say: what one of them says, else the audit."""
    standing = {(old, new) for (_, old), new in merges.items()}
    said = pl.concat(_pointing(database["entities"].rows) for database in databases)
    pointers: dict[str, tuple[str, str | None]] = {}
    for entity, survivor, at in said.sort("at", "id", "to", nulls_last=True).iter_rows():
        if (entity, survivor) in standing:
            pointers.setdefault(entity, (survivor, at))
    for step in steps:
        if (step.old, step.new) in standing:
            pointers.setdefault(step.old, (step.new, step.at))
    rows = [(entity, *pointer) for entity, pointer in sorted(pointers.items())]
    return pl.DataFrame(rows, schema=POINTERS, orient="row")
