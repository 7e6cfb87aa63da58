"""Rows of a salvaged copy in a recovery: only proven ones are offered, and they win over nobody."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from neotoma_core.files.keys import read_key
from neotoma_core.lineage.lineage import Database
from neotoma_core.neotoma.content_ids import unproven
from neotoma_core.neotoma.encryption.columns import find_sealed_rows, open_what_opens
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import Table
from neotoma_core.runs.run import Run

ELSEWHERE: Final = "salvaged; another database of the run has the row"
SHUT: Final = "salvaged, and the key does not open it"
UNASSIGNED: Final = "salvaged; rows that belong to no table of Neotoma's"


def not_proven(
    run: Run,
    table: Table,
    rows: pl.DataFrame,
    merged_into: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """Return ``_rowid``, ``column``, ``reason`` of the rows that nothing proves whole.

    Either their id is not the hash of their content, or the key opens not all of it.
    """
    opened = rows
    if run.key is not None and find_sealed_rows(table, rows).height:
        opened = open_what_opens(table, rows, read_key(run.key))
    names = [column.name for column in table.columns if column.sealed]
    closed = [opened[name].is_null() & rows[name].is_not_null() for name in names]
    shut = rows.filter(pl.any_horizontal(pl.lit(value=False), *closed)).select(
        ROWID, column=pl.lit(", ".join(names)), reason=pl.lit(SHUT)
    )
    broken = unproven(table.name, opened, merged_into)
    return pl.concat([broken, shut]).unique(ROWID, keep="first", maintain_order=True)


def without_known_rows(
    held: Database, offers: Sequence[Database], suspect: Sequence[bool], tables: Sequence[Table]
) -> list[Database]:
    """Return the offers, salvaged ones without the rows that the target or a backup before has.

    So a salvaged version of a row never meets another: it cannot win, nor count as an ancestor.
    """
    seen = [held]
    yielded = []
    for offer, salvaged in zip(offers, suspect, strict=True):
        own = _without_known(offer, seen, tables) if salvaged else offer
        yielded.append(own)
        seen.append(own)
    return yielded


def _without_known(offer: Database, seen: Sequence[Database], tables: Sequence[Table]) -> Database:
    left = dict(offer)
    for table in tables:
        identity = list(table.identity)
        if not identity or table.name not in offer:
            continue
        offered = offer[table.name]
        for other in seen:
            if table.name in other and set(identity) <= set(other[table.name].rows.columns):
                there = other[table.name].rows.select(identity).unique()
                known = offered.rows.join(there, on=identity, how="semi").select(ROWID)
                offered = offered.without(known, ELSEWHERE)
        left[table.name] = offered
    return left
