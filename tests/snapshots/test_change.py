"""Derived rows: only what differs is written."""

import polars as pl

from neotoma_core.snapshots.change import plan_derived

COLUMNS = ["k", "v", "clock"]


def rows(*cells: tuple[str, str | None, str]) -> pl.DataFrame:
    return pl.DataFrame(list(cells), schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def test_new_changed_gone_and_unchanged_rows_are_told_apart() -> None:
    change = plan_derived(
        "k",
        rows(("same", "1", "old"), ("changed", "1", "old"), ("gone", "1", "old")),
        rows(("same", "1", "old"), ("changed", "2", "old"), ("new", "1", "old")),
        pl.DataFrame({"k": ["gone", "never there"]}),
        columns=COLUMNS,
    )
    assert (change.inserted, change.updated, change.unchanged) == (1, 1, 1)
    assert change.written["k"].to_list() == ["new", "changed"]
    assert change.removed["k"].to_list() == ["gone"]


def test_an_ignored_column_is_no_reason_to_write() -> None:
    none = pl.DataFrame(schema={"k": pl.String})
    change = plan_derived(
        "k", rows(("a", None, "old")), rows(("a", None, "new")), none,
        ignored=("clock",), columns=COLUMNS,
    )  # fmt: skip
    assert (change.updated, change.unchanged, change.written.height) == (0, 1, 0)
