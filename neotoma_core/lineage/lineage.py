"""Which entity stands for which, by what every database knows of merges and splits of entities.

A merge of entities rewrites rows in place (format, 7.3, 7.4), so two databases may hold one row
under two owners, and may have merged the same entities the other way round. A database that knows
of a merge wins, in every mode; where merges contradict each other, the database whose rows win does
(messy rules, e).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.lineage.offers import Offered
from neotoma_core.neotoma.json import instant_ms

Database = Mapping[str, Offered]
_NEVER: Final = float("-inf")
_Place = tuple[str | None, str]  # (user, entity); None is any user

OWNERS: Final = pl.Schema({"entity_id": pl.String, "user_id": pl.String, "owner": pl.String})


@dataclass(frozen=True, slots=True)
class Pointer:
    """What the row of a merged entity says: who stands for it, and since when."""

    to: str
    at: str | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The merges and splits of entities that any database knows of.

    ``pointers``: by entity, without a cycle. ``users``: who made a merge (from, to), where an audit
    row says so: it moved the rows of these users only. ``splits``: the entities that were split off
    another. ``cleared``: pointers that any database has and the merged one does not: they would
    close a cycle, or a later split took them back. ``closing``: those of them that would close one.
    ``contradicted``: entities that were merged into different ones.
    """

    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    users: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    splits: Mapping[_Place, frozenset[str]] = field(default_factory=dict)
    cleared: frozenset[tuple[str, str]] = frozenset()
    closing: tuple[tuple[str, str], ...] = ()
    contradicted: tuple[str, ...] = ()

    @property
    def survivors(self) -> pl.Series:
        """The entities that others were merged into."""
        named = sorted({pointer.to for pointer in self.pointers.values()})
        return pl.Series("entity_id", named, dtype=pl.String)

    def survivor(self, entity: str, user: str | None) -> str:
        """Return the entity that stands for ``entity`` in the rows of ``user``, be it itself."""
        while (after := self._next(entity, user)) is not None:
            entity = after
        return entity

    def root(self, entity: str) -> str:
        """Return the entity that stands for ``entity``, whoever merged it."""
        return _root(self.pointers, entity)

    def owners(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return (entity_id, user_id, owner) of the places among ``rows`` that have a new owner.

        ``rows``: (entity_id, user_id) of any rows.
        """
        merged = pl.Series("entity_id", list(self.pointers), dtype=pl.String)
        places = rows.select("entity_id", "user_id").filter(
            pl.col("entity_id").is_in(merged.implode())
        )
        found = (
            (entity, user, self.survivor(entity, user))
            for entity, user in places.unique().iter_rows()
        )
        moved = [place for place in found if place[0] != place[2]]
        return pl.DataFrame(moved, schema=OWNERS, orient="row").sort(OWNERS.names())

    def split_owner(self, owners: Sequence[str], user: str | None) -> str | None:
        """Return the one of some owners of a row that a split gave it to, if any did.

        Merges since are followed. ``owners``: in the order of precedence. Of several the last in a
        chain of splits.
        """
        parted = [owner for owner in owners if self._is_split_off(owner, user)]
        last = [o for o in parted if not any(self._leads(o, other, user) for other in parted)]
        return next(iter(last or parted), None)

    def _next(self, entity: str, user: str | None) -> str | None:
        pointer = self.pointers.get(entity)
        if pointer is None:
            return None
        movers = self.users.get((entity, pointer.to))
        return pointer.to if movers is None or user in movers else None

    def _is_split_off(self, entity: str, user: str | None) -> bool:
        """Return whether an entity was split off another, or stands for one that was."""
        return any(
            entity == part or entity == self.survivor(part, user)
            for (of, _), parts in self.splits.items()
            if of is None or of == user
            for part in parts
        )

    def _leads(self, start: str, end: str, user: str | None) -> bool:
        """Return whether splits, and merges since, lead from one entity to another one."""
        reached, waiting = {start}, [start]
        while waiting:
            entity = waiting.pop()
            after = {*self.splits.get((user, entity), ()), *self.splits.get((None, entity), ())}
            if (survivor := self._next(entity, user)) is not None:
                after.add(survivor)
            waiting += after - reached
            reached |= after
        return start != end and end in reached


def lineage_of(databases: Sequence[Database]) -> Lineage:
    """Read the lineage of databases in the order of precedence: those whose rows win come first.

    Pointers are taken one by one; the first of an entity stands, and one that would close a cycle
    is cleared: what it joins is one group already, so nothing is lost.
    """
    splits = [split for database in databases for split in _splits(database)]
    given_back = _find_given_back(splits)
    known = _in_order(databases, [p for database in databases for p in _pointers(database)])
    there = _present(databases, {pointer.to for _, pointer in known})
    pointers: dict[str, Pointer] = {}
    cleared: set[tuple[str, str]] = set()
    closing: dict[tuple[str, str], None] = {}
    rivals: list[tuple[str, str]] = []
    for entity, pointer in known:
        standing = pointers.get(entity)
        if pointer.to not in there or (standing and standing.to == pointer.to):
            continue
        if _moment(pointer.at) < given_back.get(entity, _NEVER):
            cleared.add((entity, pointer.to))
        elif standing:
            rivals.append((entity, pointer.to))
        elif _root(pointers, pointer.to) == entity:
            cleared.add((entity, pointer.to))
            closing[entity, pointer.to] = None
        else:
            pointers[entity] = pointer
    contradicted = {e for e, other in rivals if _root(pointers, e) != _root(pointers, other)}
    return Lineage(
        pointers,
        _users(databases),
        _targets(splits),
        frozenset(cleared),
        tuple(closing),
        tuple(sorted(contradicted)),
    )


def _root(pointers: Mapping[str, Pointer], entity: str) -> str:
    while entity in pointers:
        entity = pointers[entity].to
    return entity


def _present(databases: Sequence[Database], entities: set[str]) -> set[str]:
    """Return those of some entities that any database holds."""
    named = pl.Series("id", sorted(entities), dtype=pl.String).implode()
    ids = (database["entities"].rows["id"] for database in databases)
    return {found for held in ids for found in held.filter(held.is_in(named))}


def _pointers(database: Database) -> Iterator[tuple[str, Pointer]]:
    """Yield the pointers of one database, by when they were made.

    Where the row of an entity is lost, the audit row of its merge says the same.
    """
    entities = database["entities"].rows
    to = pl.col("merged_to_entity_id")
    pointing = (
        entities.drop_nulls("id")
        .filter(to.is_not_null() & (to != "") & (to != pl.col("id")))
        .select("id", to=to, at="merged_at")
    )
    audits = _drop_loops(database["entity_merges"].rows, "from_entity_id", "to_entity_id")
    lost = audits.join(entities, left_on="from_entity_id", right_on="id", how="anti")
    told = lost.select(id="from_entity_id", to="to_entity_id", at="created_at")
    found = [
        (entity, Pointer(survivor, at))
        for entity, survivor, at in pl.concat([pointing, told]).iter_rows()
    ]
    yield from sorted(found, key=_by_time)


def _in_order(
    databases: Sequence[Database], pointers: Sequence[tuple[str, Pointer]]
) -> list[tuple[str, Pointer]]:
    """Return pointers in the order in which they are taken: by precedence, as they are given.

    Of entities that no database holds, only audit rows tell. Those are merged as they are, and say
    nothing of precedence afterwards: so they come last, and by time.
    """
    held = _present(databases, {entity for entity, _ in pointers})
    lost = sorted((p for p in pointers if p[0] not in held), key=_by_time)
    return [*(p for p in pointers if p[0] in held), *lost]


def _by_time(pointing: tuple[str, Pointer]) -> tuple[float, str, str]:
    entity, pointer = pointing
    return _moment(pointer.at), entity, pointer.to


def _users(databases: Sequence[Database]) -> dict[tuple[str, str], frozenset[str]]:
    """Return who made each merge, by (from, to); nobody where an audit row names no user."""
    users: dict[tuple[str, str], set[str | None]] = {}
    for database in databases:
        audits = _drop_loops(database["entity_merges"].rows, "from_entity_id", "to_entity_id")
        for old, new, user in audits.select(
            "from_entity_id", "to_entity_id", "user_id"
        ).iter_rows():
            users.setdefault((old, new), set()).add(user)
    return {
        merge: frozenset(user for user in movers if user is not None)
        for merge, movers in users.items()
        if None not in movers
    }


@dataclass(frozen=True, slots=True)
class _Split:
    user: str | None
    source: str
    new: str
    at: str | None


def _splits(database: Database) -> Iterator[_Split]:
    rows = _drop_loops(database["entity_splits"].rows, "source_entity_id", "new_entity_id")
    for row in rows.select(
        "user_id", "source_entity_id", "new_entity_id", "created_at"
    ).iter_rows():
        yield _Split(*row)


def _drop_loops(rows: pl.DataFrame, old: str, new: str) -> pl.DataFrame:
    return rows.drop_nulls([old, new]).filter(pl.col(old) != pl.col(new), pl.col(new) != "")


def _find_given_back(splits: Iterable[_Split]) -> dict[str, float]:
    """Return when an entity was last split off: that gives back what a merge had taken before."""
    moments: dict[str, float] = {}
    for split in splits:
        moments[split.new] = max(moments.get(split.new, _NEVER), _moment(split.at))
    return moments


def _moment(text: str | None) -> float:
    instant = instant_ms(text)
    return _NEVER if instant is None else instant


def _targets(splits: Iterable[_Split]) -> dict[_Place, frozenset[str]]:
    targets: dict[_Place, set[str]] = {}
    for split in splits:
        targets.setdefault((split.user, split.source), set()).add(split.new)
    return {place: frozenset(entities) for place, entities in targets.items()}
