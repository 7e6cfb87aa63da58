"""Which observation each field takes its value from."""

from typing import Any

import polars as pl
import pytest

from neotoma_core.reduce.fields.rules import PICK
from neotoma_core.reduce.fields.winners import latest_stated, winners

COLUMNS = ("source_priority", "source_rank", "specificity_score", "id_key")


def winner(pick: str, *observations: tuple[int, int, float, str]) -> int:
    """Return the row that wins among observations given latest first; see COLUMNS."""
    rows = (
        pl.DataFrame(observations, schema=COLUMNS, orient="row")
        .with_row_index("row", offset=7)
        .with_columns(group=pl.lit(1))
    )
    values = rows.select(
        "row",
        place=pl.int_range(pl.len(), dtype=pl.UInt32),
        group=pl.lit(1),
        key=pl.lit(1),
        contested=pl.lit(value=True),
        pick=pl.lit(pick, dtype=PICK),
    )
    won = winners(values, rows)
    assert won["first"].to_list() == [0]
    return int(won["place"].item())


@pytest.mark.parametrize(
    ("pick", "rows", "expected"),
    [
        ("latest", [(1, 0, 0.0, "b"), (9, 0, 9.0, "a")], 0),
        ("priority", [(1, 0, 0.0, "b"), (9, 1, 0.0, "a")], 1),
        ("priority", [(1, 1, 0.0, "b"), (1, 0, 0.0, "c")], 1),
        ("priority", [(1, 0, 0.0, "b"), (1, 0, 9.0, "a")], 0),
        ("priority, id", [(1, 0, 0.0, "b"), (1, 0, 0.0, "a")], 1),
        ("specificity", [(9, 0, 0.5, "b"), (1, 1, 1.0, "a")], 1),
        ("specificity", [(1, 1, 1.0, "b"), (9, 1, 1.0, "a")], 0),
        ("specificity", [(1, 0, 1.0, "b"), (9, 1, 1.0, "a")], 0),
        ("specificity, priority", [(1, 0, 1.0, "b"), (9, 1, 1.0, "a")], 1),
        ("specificity, priority", [(9, 0, 1.0, "b"), (1, 1, 2.0, "a")], 1),
        ("priority", [(n, 0, 0.0, "a") for n in range(99)], 98),
    ],
)
def test_each_order_puts_its_own_observation_first(
    pick: str, rows: list[Any], expected: int
) -> None:
    assert winner(pick, *rows) == expected


def test_each_group_and_field_has_its_own() -> None:
    """Group 1 and group 2 state fields 1 and 2, each in two observations; the priority decides."""
    rows = pl.DataFrame(
        [(1, 5, 0, 0.0, "a"), (1, 9, 0, 0.0, "b"), (2, 7, 0, 0.0, "c"), (2, 2, 0, 0.0, "d")],
        schema=["group", *COLUMNS],
        orient="row",
    ).with_row_index("row", offset=7)
    values = rows.select("row", "group").join(pl.DataFrame({"key": [1, 2]}), how="cross")
    values = values.with_columns(
        place=pl.int_range(pl.len(), dtype=pl.UInt32),
        contested=pl.lit(value=True),
        pick=pl.lit("priority", dtype=PICK),
    )
    won = winners(values, rows).sort("group", "key")
    assert won.rows() == [(1, 1, 0, 2), (1, 2, 1, 3), (2, 1, 4, 4), (2, 2, 5, 5)]


def test_uncontested_values_stay() -> None:
    values = pl.DataFrame(
        {"place": [4, 5], "row": [0, 0], "group": [1, 1], "key": [1, 2], "contested": [False] * 2}
    ).with_columns(pl.lit("priority", dtype=PICK).alias("pick"), pl.col("place").cast(pl.UInt32))
    none = pl.DataFrame(schema={"row": pl.UInt32, **dict.fromkeys(COLUMNS, pl.Int64)})
    assert winners(values, none).rows() == [(1, 1, 4, 4), (1, 2, 5, 5)]


def test_the_latest_stated_value_skips_nulls_and_may_be_none() -> None:
    values = pl.DataFrame(
        {"place": [0, 1, 2], "group": [1, 1, 2], "key": [1, 1, 1], "value": ["null", "2", "null"]}
    )
    assert latest_stated(values).sort("group").rows() == [(1, 1, 0, 1), (2, 1, 2, None)]
