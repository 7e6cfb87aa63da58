"""Which rows an erasure reaches.

A row goes when it names an erased id, its own key included. Further ids are erased with it:

- entities that were merged into an erased one: they are the same thing;
- the keys of rows that go, unless a row of another user that stays names them;
- interpretations and sources that only rows that go used;
- fragments, events and edges stated by the same source of the same entity as an observation that
  goes, where no observation that stays tells of the two.

Ends when nothing new is found: merges may go in circles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.erased.naming import (
    ENTITIES,
    INTERPRETATIONS,
    OBSERVATIONS,
    RAW_FILES,
    RELATIONSHIP_OBSERVATIONS,
    RELATIONSHIPS,
    SOURCES,
    USERS,
    Ids,
    NamedRows,
)
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import TABLES

_GOES: Final = "_goes"
# (table, the entity that was merged, the entity it was merged into)
_MERGES: Final = (
    (ENTITIES, "id", "merged_to_entity_id"),
    ("entity_merges", "from_entity_id", "to_entity_id"),
)
_TOLD: Final = [ENTITIES, SOURCES]
# What one source tells of one entity without being a statement of its own.
COMPANIONS: Final = tuple(
    table.name
    for table in TABLES
    if table.merged and sorted(c.refers for c in table.columns if c.refers in _TOLD) == _TOLD
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What goes.

    ``rows``: row numbers by table, tables that lose none left out. ``ids``: the erased ids by
    kind, ``merged`` the entities among them that were merged into others that go. ``entities``,
    ``relationships``: those that stay and lose observations or a snapshot.
    ``shared``: sources that rows that go used, and that stay since others use them too.
    ``dangling``: (table, column) → rows that stay and name a row that goes. ``merged_away``: how
    many entities that go were merged into others, which stay.
    """

    rows: Mapping[str, pl.Series]
    ids: Ids
    merged: frozenset[str]
    entities: pl.DataFrame
    relationships: pl.DataFrame
    shared: frozenset[str]
    dangling: Mapping[tuple[str, str], int]
    merged_away: int

    @property
    def total(self) -> int:
        """All rows that go."""
        return sum(map(len, self.rows.values()))


def reach(tables: Mapping[str, NamedRows], seeds: Ids) -> Reach:
    """Return what goes with the ``seeds``, ids by kind, from a database given by its ``tables``."""
    spreading = _Spreading(tables)
    spreading.erase(seeds)
    while spreading.fresh:
        spreading.take_rows()
        spreading.erase(spreading.find_merged_into())
        spreading.erase(spreading.own_keys())
        spreading.take_companions()
        if not spreading.fresh:
            spreading.erase(spreading.orphans())
    return spreading.result()


class _Spreading:
    """The rows that go so far (``_goes``), the ids erased, and those not yet looked for."""

    def __init__(self, tables: Mapping[str, NamedRows]) -> None:
        self.tables: Final = tables
        self.rows = {
            name: named.rows.with_columns(pl.lit(value=False).alias(_GOES))
            for name, named in tables.items()
        }
        self.ids: dict[str, set[str]] = {}
        self.fresh: dict[str, set[str]] = {}
        self.merged: set[str] = set()

    def erase(self, ids: Mapping[str, Iterable[str]]) -> None:
        for kind, names in ids.items():
            new = set(names) - self.ids.get(kind, set())
            if new:
                self.ids.setdefault(kind, set()).update(new)
                self.fresh.setdefault(kind, set()).update(new)

    def take_rows(self) -> None:
        """Let every row go that names a fresh id."""
        fresh = {kind: _list_ids(ids) for kind, ids in self.fresh.items()}
        self.fresh = {}
        for name, named in self.tables.items():
            hits = [pl.col(c).is_in(fresh[k]) for c, k in named.naming.items() if k in fresh]
            if hits and self.rows[name].height:
                self._let_go(name, pl.any_horizontal(hits).fill_null(value=False))

    def find_merged_into(self) -> dict[str, list[str]]:
        """Return the entities that were merged into erased ones."""
        erased = _list_ids(self.ids.get(ENTITIES, ()))
        found: list[str] = []
        for table, merged, into in _MERGES:
            if table in self.rows and {merged, into} <= set(self.rows[table].columns):
                rows = self.rows[table].filter(pl.col(into).is_in(erased))
                found += rows[merged].drop_nulls().to_list()
        self.merged.update(found)
        return {ENTITIES: found}

    def own_keys(self) -> dict[str, list[str]]:
        """Return the keys of the rows that go, less those that another user's rows still name."""
        found = {}
        for name, named in self.tables.items():
            if named.key is None or not named.lasting:
                continue
            known = _list_ids(self.ids.get(name, ()))
            gone = self._going(name).filter(~pl.col(named.key).is_in(known)).drop_nulls(named.key)
            if gone.height:
                owner = pl.col("user_id") if "user_id" in gone.columns else pl.lit(None, pl.String)
                keys = gone.select(id=named.key, owner=owner)
                found[name] = keys.join(
                    self._find_named_by_others(name, keys), on="id", how="anti"
                )["id"].to_list()
        return found

    def take_companions(self) -> None:
        """Remove what a source stated of an entity, once no observation links the two."""
        observed = self.rows.get(OBSERVATIONS)
        if observed is None or not {"source_id", "entity_id"} <= set(observed.columns):
            return
        pairs = observed.select("source_id", "entity_id", _GOES).drop_nulls("source_id")
        gone, left = pairs.filter(_GOES), pairs.filter(~pl.col(_GOES))
        both = ["source_id", "entity_id"]
        lost = gone.join(left, on=both, how="anti").select(both).unique()
        lost_sources = gone.join(left, on="source_id", how="anti").select("source_id").unique()
        for name in COMPANIONS:
            rows = self.rows.get(name)
            if rows is None or "source_id" not in rows.columns or not lost.height:
                continue
            of_source = pl.col("source_id").is_in(lost_sources["source_id"].implode())
            if "entity_id" not in rows.columns:
                self._let_go(name, of_source.fill_null(value=False))
                continue
            told = rows.join(lost, on=both, how="semi")[ROWID].implode()
            unnamed = pl.col("entity_id").is_null() & of_source.fill_null(value=False)
            self._let_go(name, pl.col(ROWID).is_in(told) | unnamed)
        self.erase(self.own_keys())

    def orphans(self) -> dict[str, set[str]]:
        """Return the interpretations and sources that only rows that go used."""
        unused = self._find_used(INTERPRETATIONS, going=True) - self._find_used(
            INTERPRETATIONS, going=False
        )
        alive = self._find_used(SOURCES, going=False)
        dead = self._find_used(SOURCES, going=True) - alive
        return {INTERPRETATIONS: unused, SOURCES: dead}

    def result(self) -> Reach:
        sources = self._find_used(SOURCES, going=True)
        rows = {name: self._going(name)[ROWID] for name in self.rows}
        ids = {kind: set(names) for kind, names in self.ids.items()}
        for kind, table in ((RELATIONSHIPS, RELATIONSHIP_OBSERVATIONS), (RAW_FILES, SOURCES)):
            gone = self._find_named(kind, table, going=True) - self._find_named(
                kind, table, going=False
            )
            ids[kind] = ids.get(kind, set()) | gone
        erased = {kind: frozenset(names) for kind, names in ids.items() if names}
        return Reach(
            {name: taken for name, taken in rows.items() if len(taken)},
            erased,
            frozenset(self.merged),
            self._losing("entity_id", ENTITIES, OBSERVATIONS, "entity_snapshots"),
            self._losing(
                "relationship_key",
                RELATIONSHIPS,
                RELATIONSHIP_OBSERVATIONS,
                "relationship_snapshots",
            ),
            frozenset(sources - self.ids.get(SOURCES, set()))
            & self._find_used(SOURCES, going=False),
            self._dangling(),
            self._count_merged_away(),
        )

    def _let_go(self, name: str, which: pl.Expr) -> None:
        self.rows[name] = self.rows[name].with_columns((pl.col(_GOES) | which).alias(_GOES))

    def _going(self, name: str) -> pl.DataFrame:
        return self.rows[name].filter(_GOES)

    def _find_named_by_others(self, kind: str, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the ``id`` of keys that rows which stay, and are of another user, name."""
        found = [pl.DataFrame(schema={"id": pl.String})]
        mine = _list_ids(self.ids.get(USERS, ()))
        for name, named in self.tables.items():
            if "user_id" not in named.naming or not named.lasting:
                continue
            theirs = pl.col("user_id").is_not_null() & ~pl.col("user_id").is_in(mine)
            staying = self.rows[name].filter(~pl.col(_GOES) & theirs)
            for column in named.of_kind(kind):
                rows = staying.select(id=column, user="user_id").join(keys, on="id")
                found.append(rows.filter(pl.col("user") != pl.col("owner")).select("id"))
        return pl.concat(found).unique()

    def _find_used(self, kind: str, *, going: bool) -> set[str]:
        """Return the ids of ``kind`` that rows other than its own name.

        An interpretation that no row which stays names does not keep its source.
        """
        used: set[str] = set()
        for name in self.tables:
            if name != kind:
                idle = name == INTERPRETATIONS and kind == SOURCES and not going
                kept = self._find_used(INTERPRETATIONS, going=False) if idle else None
                used |= self._find_named(kind, name, going=going, keys=kept)
        return used

    def _find_named(
        self, kind: str, name: str, *, going: bool, keys: set[str] | None = None
    ) -> set[str]:
        """Return the ids of ``kind`` in the rows of one table that go, or that stay."""
        if name not in self.tables:
            return set()
        rows = self.rows[name].filter(pl.col(_GOES) if going else ~pl.col(_GOES))
        if keys is not None:
            rows = rows.filter(pl.col("id").is_in(_list_ids(keys)))
        columns = self.tables[name].of_kind(kind)
        return {cell for column in columns for cell in rows[column].drop_nulls().unique()}

    def _losing(self, column: str, kind: str, *names: str) -> pl.DataFrame:
        """Return ``column``: what loses rows of the tables ``names`` and is not erased itself."""
        gone = [
            self._going(name).select(column)
            for name in names
            if name in self.rows and column in self.rows[name].columns
        ]
        both = pl.concat([pl.DataFrame(schema={column: pl.String}), *gone]).drop_nulls().unique()
        return both.filter(~pl.col(column).is_in(_list_ids(self.ids.get(kind, ())))).sort(column)

    def _dangling(self) -> dict[tuple[str, str], int]:
        found = {}
        gone = {
            name: self._going(name)[named.key]
            for name, named in self.tables.items()
            if named.key and named.lasting
        }
        for name, named in self.tables.items():
            for column, kind in named.naming.items():
                if named.lasting and column != named.key and len(gone.get(kind, ())):
                    staying = self.rows[name].filter(~pl.col(_GOES))
                    rows = staying.filter(pl.col(column).is_in(gone[kind].implode())).height
                    if rows:
                        found[name, column] = rows
        return found

    def _count_merged_away(self) -> int:
        rows = self.rows.get(ENTITIES)
        if rows is None or "merged_to_entity_id" not in rows.columns:
            return 0
        erased = _list_ids(self.ids.get(ENTITIES, ()))
        into = self._going(ENTITIES)["merged_to_entity_id"].drop_nulls()
        return int((~into.is_in(erased)).sum())


def _list_ids(ids: Iterable[str]) -> pl.Series:
    """Return ids as what ``is_in`` takes."""
    return pl.Series([list(ids)], dtype=pl.List(pl.String))
