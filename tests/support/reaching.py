"""Random databases for an erasure, as frames of what they name."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

import polars as pl
from hypothesis import strategies as st

from neotoma_core.erased.naming import (
    RAW_FILES,
    USERS,
    Ids,
    NamedRows,
    TablesInMemory,
    find_ids,
    name_rows,
    naming_columns,
)
from neotoma_core.erased.reach import Reach
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME

_ALWAYS: Final = {"sources": 3, "interpretations": 3, "observations": 5}
_OTHERS: Final = {
    **dict.fromkeys(("entities", "entity_merges", "source_event_edges"), 3),
    **dict.fromkeys(("raw_fragments", "timeline_events"), 4),
    **dict.fromkeys(("relationship_observations", "relationship_snapshots"), 3),
    **dict.fromkeys(("entity_embedding_rows", "of_tomorrow"), 2),
}
_UNKNOWN: Final = ("entity_id", "observation_id")
_SEEDS: Final = (
    *("entities", "observations", "relationship_observations", "sources", "interpretations"),
    *(USERS, "relationships", RAW_FILES),
)


class TablesInParts:
    """Tables that are read two rows at a time, and only the rows that are asked for."""

    def __init__(self, tables: Mapping[str, NamedRows]) -> None:
        self._tables = tables

    @property
    def names(self) -> Collection[str]:
        return self._tables.keys()

    def read(self, table: str, ids: Ids | None = None) -> Iterator[NamedRows]:
        whole = self._tables[table]
        for place in range(0, max(1, whole.rows.height), 2):
            part = replace(whole, rows=whole.rows.slice(place, 2))
            if ids is not None and not find_ids(TablesInMemory({table: part}), ids):
                part = replace(whole, rows=whole.rows.clear())
            yield part


def told_by(found: Reach) -> dict[str, object]:
    """Return all that is found, in an order of its own."""
    return {
        "rows": {name: sorted(rows) for name, rows in found.rows.items()},
        "ids": dict(found.ids),
        "merged": found.merged,
        "entities": found.entities["entity_id"].to_list(),
        "relationships": found.relationships["relationship_key"].to_list(),
        "shared": found.shared,
        "dangling": dict(found.dangling),
        "merged_away": found.merged_away,
    }


def seeds() -> st.SearchStrategy[dict[str, frozenset[str]]]:
    """Return an id or two, of one kind or two."""
    one = st.sampled_from(_SEEDS).flatmap(
        lambda kind: st.dictionaries(st.just(kind), st.frozensets(_ids(kind), max_size=2))
    )
    return st.builds(lambda some, others: {**some, **others}, one, one)


@st.composite
def databases(draw: st.DrawFn) -> dict[str, NamedRows]:
    """Return tables whose ids come from small pools, so that rows have to do with each other."""
    lacking = draw(st.sampled_from([(), ("entity_id",), ("source_id",), ("user_id",)]))
    others = draw(st.sets(st.sampled_from(sorted(_OTHERS)), max_size=4))
    found = {}
    for table, most in (_ALWAYS | {name: _OTHERS[name] for name in sorted(others)}).items():
        known = BY_NAME[table].names if table in BY_NAME else _UNKNOWN
        names = [n for n in naming_columns(table, known) if n not in lacking]
        found[table] = draw(_rows(table, names, most))
    return found


def _rows(table: str, names: list[str], most: int) -> st.SearchStrategy[NamedRows]:
    """Return rows whose own ids differ; one in a few names nothing at all in a column."""
    cells = (_cells(table, name, kind) for name, kind in naming_columns(table, names).items())
    schema = dict.fromkeys(names, pl.String)
    return st.lists(st.tuples(*cells), max_size=most).map(
        lambda rows: _name(table, pl.DataFrame(rows, schema=schema, orient="row"))
    )


def _cells(table: str, name: str, kind: str) -> st.SearchStrategy[str | None]:
    if name == "id" and kind == table:
        return st.just("")
    return st.one_of(_ids(kind), st.none())


def _name(table: str, rows: pl.DataFrame) -> NamedRows:
    numbered = rows.with_row_index(ROWID, offset=1)
    if "id" in rows.columns:
        own = pl.format("{}{}", pl.lit(table[:3]), ROWID)
        numbered = numbered.with_columns(
            pl.when(pl.col("id") == "").then(own).otherwise("id").alias("id")
        )
    return name_rows(table, numbered)


def _ids(kind: str) -> st.SearchStrategy[str]:
    stem = "u/" if kind == RAW_FILES else kind[:3]
    return st.sampled_from([f"{stem}{number}" for number in range(1, 4)])
