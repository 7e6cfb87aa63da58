"""Which versions of a row there are, and which of them counts."""

from datetime import UTC, datetime, timedelta

import polars as pl

from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH
from neotoma_core.row_versions.versions import (
    as_of,
    in_order,
    latest,
    next_moment,
    plan_appends,
    standing,
)

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(run: int) -> datetime:
    return START + timedelta(days=run)


def versions(*rows: tuple[str | None, str, int]) -> pl.DataFrame:
    """Versions of (id, hash, run); each row was created on the day before its run."""
    return pl.DataFrame(
        [
            (number, key, row_hash, at(run), at(run - 1).isoformat())
            for number, (key, row_hash, run) in enumerate(rows)
        ],
        schema={
            "_rowid": pl.Int64,
            "id": pl.String,
            ROW_HASH: pl.String,
            ARCHIVED_AT: pl.Datetime("us", "UTC"),
            "created_at": pl.String,
        },
        orient="row",
    )


def removals(*rows: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(row_hash, at(run)) for row_hash, run in rows],
        schema={ROW_HASH: pl.String, ARCHIVED_AT: pl.Datetime("us", "UTC")},
        orient="row",
    )


def hashes(rows: pl.DataFrame) -> set[str]:
    return set(rows[ROW_HASH])


def test_the_last_version_of_a_row_counts() -> None:
    rows = versions(("a", "a1", 1), ("a", "a2", 2), ("b", "b1", 1))
    assert hashes(latest(rows, "id")) == {"a2", "b1"}


def test_a_row_without_a_key_is_a_row_of_its_own() -> None:
    rows = versions((None, "x", 1), (None, "y", 1), (None, "y", 3))
    assert sorted(latest(rows, "id")[ROW_HASH]) == ["x", "y"]


def test_a_removed_row_does_not_stand_until_it_is_back() -> None:
    rows = versions(("a", "a1", 1), ("b", "b1", 1), ("b", "b1", 3))
    gone = removals(("a1", 2), ("b1", 2))
    assert hashes(standing(rows, gone, "id")) == {"b1"}


def test_an_older_version_does_not_come_back_when_the_last_is_removed() -> None:
    rows = versions(("a", "a1", 1), ("a", "a2", 2))
    assert standing(rows, removals(("a2", 3)), "id").is_empty()


def test_as_of_is_the_version_of_then_and_the_first_of_what_was_archived_later() -> None:
    rows = versions(("a", "a1", 1), ("a", "a2", 4), ("b", "b1", 4), ("c", "c1", 9))
    assert hashes(as_of(rows, removals(), "id", at(3))) == {"a1", "b1"}
    assert hashes(as_of(rows, removals(), "id", at(4))) == {"a2", "b1"}


def test_as_of_knows_what_was_removed_by_then() -> None:
    rows = versions(("a", "a1", 1))
    gone = removals(("a1", 3))
    assert hashes(as_of(rows, gone, "id", at(2))) == {"a1"}
    assert hashes(as_of(rows, gone, "id", at(3))) == set()


def test_only_what_stands_otherwise_is_appended() -> None:
    rows = versions(("a", "a1", 1), ("b", "b1", 1), ("c", "c1", 1))
    stored = pl.DataFrame(
        {"_rowid": [1, 2, 3], "id": ["a", "b", "d"], ROW_HASH: ["a1", "b2", "d1"]}
    )
    appends = plan_appends(stored, rows, "id")
    assert appends.rows["_rowid"].to_list() == [2, 3]
    assert appends.changed == 1
    assert appends.removed.rows() == [("c", "c1")]


def test_rows_keep_the_order_in_which_they_first_came() -> None:
    rows = versions(("b", "b1", 1), ("a", "a1", 1), ("b", "b2", 2), ("c", "c1", 2))
    chosen = latest(rows, "id")
    assert in_order(chosen, rows, "id")["id"].to_list() == ["b", "a", "c"]


def test_no_two_runs_have_one_moment_whatever_the_clock_says() -> None:
    assert next_moment(at(2), at(1)) == at(2)
    assert next_moment(at(1), at(2)) > at(2)
    assert next_moment(at(1), None) == at(1)
