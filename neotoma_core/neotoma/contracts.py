"""What a log table must be: pandera schemas derived from the table facts.

A contract states facts only: types, required columns, keys. It is checked on collected frames
at the border, once a backup is read; a row that breaks it is set aside, never dropped. Pandera says
which rows break it; that none does is seen without loading it.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl

from neotoma_core.neotoma.frames import ROWID, no_broken
from neotoma_core.neotoma.tables import Table

if TYPE_CHECKING:
    import pandera.polars as pa

REASONS: Final = {
    "not_nullable": "missing value",
    "field_uniqueness": "key used twice",
}


@dataclass(frozen=True, slots=True)
class Validated:
    """Rows that keep the contract, and what is wrong with the others.

    ``broken`` has one row per broken row: ``_rowid``, ``column``, ``reason``.
    """

    rows: pl.DataFrame
    broken: pl.DataFrame


@cache
def contract_of(table: Table) -> "pa.DataFrameSchema":
    """Return the pandera schema of one table; columns a newer Neotoma added pass through."""
    import pandera.polars as pa  # noqa: PLC0415 - slow to load, and seldom needed

    columns = {
        column.name: pa.Column(
            pl.String,
            nullable=not column.required,
            unique=(column.name,) == table.key,
        )
        for column in table.columns
    }
    return pa.DataFrameSchema(columns, strict=False, coerce=False, name=table.name)


def validate(table: Table, frame: pl.DataFrame) -> Validated:
    """Split a collected frame of ``table`` into rows that keep its contract and rows that do not.

    ``frame``: every column of the table and ``_rowid``, one row per stored row. A key that is NULL
    breaks nothing: SQLite takes it any number of times, and such rows merge by all they say.
    """
    failures = None if is_kept(table, frame) else _failures(table, frame)
    if failures is None:
        return Validated(frame, no_broken())
    numbered = frame.with_row_index("_index")
    broken = (
        failures.join(numbered.select("_index", ROWID, *table.key), on="_index")
        .filter(~_is_no_repetition(table))
        .unique("_index", keep="first", maintain_order=True)
        .select(ROWID, "column", "reason")
    )
    return Validated(frame.join(broken, on=ROWID, how="anti", maintain_order="left"), broken)


def is_kept(table: Table, frame: pl.DataFrame) -> bool:
    """Return whether a frame keeps the contract of its table, as ``contract_of`` states it."""
    if not frame.height:
        return True
    columns = {name: frame.schema.get(name) for name in table.names}
    if any(held != pl.String for held in columns.values()):
        return False
    required = [column.name for column in table.columns if column.required]
    unique = table.key if len(table.key) == 1 else ()
    return not any(frame[name].null_count() for name in required) and all(
        frame[name].n_unique() == frame.height for name in unique
    )


def _failures(table: Table, frame: pl.DataFrame) -> pl.DataFrame | None:
    """Return ``_index``, ``column``, ``reason`` of every failure; None where there is none."""
    import pandera.errors  # noqa: PLC0415 - see ``contract_of``

    try:
        contract_of(table).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        # pandera keeps the failing values and the frame in its exception. Only names leave this
        # block, and nothing is raised from it, so no value travels along an exception chain.
        cases: pl.DataFrame = error.failure_cases.select("index", "column", "check")
    else:
        return None
    if cases["index"].null_count():
        missing = ", ".join(sorted(set(cases["column"].drop_nulls())))
        raise TypeError(f"{table.name}: not a frame of this table ({missing})")
    return cases.select(
        pl.col("index").cast(pl.UInt32).alias("_index"),
        "column",
        pl.col("check").replace(REASONS).alias("reason"),
    ).sort("_index", "column")


def _is_no_repetition(table: Table) -> pl.Expr:
    """Return whether a row is the first of those that share its key, or has none: it may stay."""
    twice = pl.col("reason") == REASONS["field_uniqueness"]
    first = pl.col("_index") == pl.col("_index").min().over([*table.key, "reason"])
    no_key = pl.any_horizontal(pl.lit(value=False), *(pl.col(k).is_null() for k in table.key))
    return twice & (first | no_key)
