"""The JSON object of every row: its keys and values, or why it has none."""

from dataclasses import dataclass

import polars as pl

from neotoma_core.reduce.fields.engine import explode_objects, keys_of
from neotoma_core.reduce.fields.texts import judge, needs_javascript


@dataclass(frozen=True, slots=True)
class Objects:
    """JSON objects taken apart.

    Attributes:
        exploded: (row, shape, values, rewritten) of all others, in the order given; see
            ``engine``. The values of ``rewritten`` rows still have to be made canonical.
        unreadable: (row, reason) of what is not a JSON object.
        beyond: (row) of the objects that only the exact reducer can read.
    """

    exploded: pl.DataFrame
    unreadable: pl.DataFrame
    beyond: pl.DataFrame


def take_apart(texts: pl.DataFrame) -> Objects:
    """Take apart (row, text): ``text`` is what is stored, or null.

    What DuckDB would read or write unlike JavaScript is first rewritten, row by row.
    """
    odd = _judge(texts.filter(needs_javascript(pl.col("text"))))
    exploded = explode_objects(_engine_input(texts, odd)).with_columns(
        rewritten=pl.col("row").is_in(odd["row"].implode())
    )
    refused = pl.col("shape").is_null()
    late = _judge(texts.join(exploded.filter(refused), on="row", how="semi"))
    is_object = pl.col("canonical").is_not_null()
    lost = [odd.filter("beyond"), late.filter(is_object), _with_doubled_keys(exploded)]
    beyond = pl.concat([rows.select("row") for rows in lost]).unique()
    return Objects(
        exploded=exploded.filter(~refused & ~pl.col("row").is_in(beyond["row"].implode())),
        unreadable=pl.concat([odd, late]).filter(~is_object).select("row", "reason"),
        beyond=beyond,
    )


def _judge(texts: pl.DataFrame) -> pl.DataFrame:
    """Return (row, canonical, beyond, reason) for (row, text)."""
    return texts.join(judge(texts["text"]), on="text", nulls_equal=True).drop("text")


def _engine_input(texts: pl.DataFrame, odd: pl.DataFrame) -> pl.DataFrame:
    """Return (row, text) of the objects, the odd ones in canonical form, in the order given."""
    if odd.is_empty():
        return texts.select("row", "text")
    return (
        texts.join(odd, on="row", how="left", maintain_order="left")
        .filter(pl.col("reason").is_null())
        .select("row", text=pl.coalesce("canonical", "text"))
    )


def _with_doubled_keys(exploded: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose object states a key twice: DuckDB keeps both."""
    keys = keys_of(pl.col("shape"))
    doubled = exploded.select(pl.col("shape").unique()).filter(
        keys.list.n_unique() < keys.list.len()
    )
    return exploded.join(doubled, on="shape", how="semi")
