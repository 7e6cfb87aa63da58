"""What an erasure reaches in a database, with only the rows in memory that matter.

They are read, what they reach is found, and they are read again with the ids that this brought up,
until it brings up none. What matters:

- every row that names an erased id, or the key of a row that goes;
- every companion of what a source stated of an entity in a row that goes;
- of the sources, interpretations, relationships and raw files that rows which go name: whether,
  and with which entities that those rows name, other rows name them. Such rows may be many.
  One of them stands for all that name the same; its other cells are hidden.

A row that stands for others stays: it names nothing that is erased. Where it would go all the same,
as a companion, the rows it stands for are read in its place. So what is reached among these rows is
what is reached among all; users are not followed, since only those asked for are erased.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from neotoma_core.erased.naming import (
    ENTITIES,
    INTERPRETATIONS,
    OBSERVATIONS,
    RAW_FILES,
    RELATIONSHIPS,
    SOURCES,
    Ids,
    NamedRows,
    NamedTables,
)
from neotoma_core.erased.reach import COMPANIONS, Reach, reach
from neotoma_core.neotoma.cells import ODD
from neotoma_core.neotoma.frames import ROWID

_FOLLOWED: Final = (SOURCES, INTERPRETATIONS, RELATIONSHIPS, RAW_FILES)
_HIDDEN: Final = ODD  # by itself the text of no cell
_PAIR: Final = {"source_id", "entity_id"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a database.

    ``whole``: every row that names these ids is needed. ``used``: whether rows that stay name
    these ids, and with which entities among ``told``.
    """

    whole: Ids
    used: Ids
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """Rows of one table that matter; ``standing``: the numbers of those that stand for others."""

    named: NamedRows
    standing: pl.Series


def reach_in(database: NamedTables, seeds: Ids) -> Reach:
    """Return what goes with the ``seeds``, ids by kind, from a database.

    Memory grows with what is reached, and not with the database.
    """
    asked = _Asked(_join(seeds, {}), {}, frozenset())
    while True:
        read = {name: _narrow(database, name, asked) for name in database.names}
        tables = {name: narrowed for name, narrowed in read.items() if narrowed}
        found = reach({name: narrowed.named for name, narrowed in tables.items()}, seeds)
        more = _ask_more(asked, tables, found)
        if more == asked:
            return found
        asked = more


def _narrow(database: NamedTables, name: str, asked: _Asked) -> _Narrowed | None:
    """Return the rows of a table that matter; None where there are none."""
    ids = _join(asked.whole, asked.used)
    whole, others = [], []
    for part in database.read(name, ids):
        named = _pick(part, ids)
        if named is not None:
            is_whole = _is_whole(named, name, asked)
            whole.append(named.rows.filter(is_whole))
            others.append(_stand_in(replace(named, rows=named.rows.filter(~is_whole)), asked))
            facts = named
    if not whole:
        return None
    standing = _merge(pl.concat(others))
    rows = pl.concat([*whole, standing])
    return _Narrowed(replace(facts, rows=rows), standing[ROWID])


def _pick(named: NamedRows, ids: Ids) -> NamedRows | None:
    """Return the rows that name any of some ids; None where there are none."""
    if named.rows.is_empty() or not any(kind in ids for kind in named.naming.values()):
        return None
    rows = named.rows.filter(_names_any(named, ids))
    return None if rows.is_empty() else replace(named, rows=rows)


def _is_whole(named: NamedRows, name: str, asked: _Asked) -> pl.Expr:
    """Tell the rows that nothing can stand for."""
    is_whole = _names_any(named, asked.whole)
    if name in COMPANIONS and set(named.naming) >= _PAIR:
        of_source = _is_in("source_id", asked.used.get(SOURCES, ()))
        is_whole |= of_source & _is_in("entity_id", asked.told)
    return is_whole


def _names_any(named: NamedRows, ids: Ids) -> pl.Expr:
    hits = [_is_in(column, ids[kind]) for column, kind in named.naming.items() if ids.get(kind)]
    return pl.any_horizontal(pl.lit(value=False), *hits)


def _is_in(column: str, ids: Iterable[str]) -> pl.Expr:
    listed = pl.Series([list(ids)], dtype=pl.List(pl.String))
    return pl.col(column).is_in(listed).fill_null(value=False)


def _stand_in(named: NamedRows, asked: _Asked) -> pl.DataFrame:
    """Return rows that stand for others: every cell hidden that nothing is asked of."""
    if named.rows.is_empty():
        return named.rows
    shown = {**asked.used, ENTITIES: asked.told}
    return _merge(
        named.rows.with_columns(
            pl.when(_is_in(column, shown.get(kind, ())))
            .then(pl.col(column))
            .when(pl.col(column).is_not_null() & pl.lit(column != named.key))
            .then(pl.lit(_HIDDEN))
            .alias(column)
            for column, kind in named.naming.items()
        )
    )


def _merge(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row of all that have the same cells."""
    cells = [name for name in rows.columns if name != ROWID]
    return rows.group_by(cells).agg(pl.col(ROWID).min()).select(rows.columns)


def _ask_more(asked: _Asked, tables: Mapping[str, _Narrowed], found: Reach) -> _Asked:
    """Return what has to be asked once so much was found.

    Of a source, say, that nothing seems to use, it is asked what uses it. What turns out to stand
    for rows that go is asked for itself.
    """
    erased = {k: ids - {_HIDDEN} for k, ids in found.ids.items() if k not in _FOLLOWED}
    whole = _join(asked.whole, erased)
    used, told = asked.used, asked.told
    for name, narrowed in tables.items():
        named = narrowed.named
        if name not in found.rows:
            continue
        going = named.rows.filter(pl.col(ROWID).is_in(found.rows[name].implode()))
        used = _join(used, _ids_in(named, going, _FOLLOWED))
        standing = going.filter(pl.col(ROWID).is_in(narrowed.standing.implode()))
        whole = _join(whole, _ids_in(named, standing, _FOLLOWED))
        if named.key and named.lasting:
            keys = frozenset(going[named.key].drop_nulls())
            asked_for = asked.used.get(name, frozenset()) if name in _FOLLOWED else keys
            whole = _join(whole, {name: keys & asked_for})
        if name == OBSERVATIONS:
            told |= _ids_in(named, going, {ENTITIES}).get(ENTITIES, frozenset())
    return _Asked(whole, used, told)


def _ids_in(named: NamedRows, rows: pl.DataFrame, kinds: Iterable[str]) -> Ids:
    """Return the ids of some kinds that rows name."""
    return {kind: frozenset(_cells(rows, named.of_kind(kind))) - {_HIDDEN} for kind in kinds}


def _cells(rows: pl.DataFrame, columns: Iterable[str]) -> Iterator[str]:
    for column in columns:
        yield from rows[column].drop_nulls().unique()


def _join(some: Ids, others: Ids) -> Ids:
    """Return the ids of both, by kind; kinds without any left out."""
    both = {k: some.get(k, frozenset()) | others.get(k, frozenset()) for k in {**some, **others}}
    return {kind: ids for kind, ids in both.items() if ids}
