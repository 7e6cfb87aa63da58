"""Rows without a key: each distinct row is there as often as where it is most often."""

from collections import Counter
from dataclasses import replace

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.lineage.offers import REWRITTEN, Offered
from neotoma_core.merge.choosing import Rules
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.merge.table import TableMerge
from neotoma_core.merge.whole_rows import merge_with_keyless
from neotoma_core.neotoma.frames import ROWID, TARGET, TARGET_ROWID, values_of
from neotoma_core.neotoma.tables import Column, Index, Table

KEYLESS = Table("extra", "carried", (Column("a", "TEXT"), Column("b", "TEXT")), key=())
KEYED = Table("extra", "carried", (Column("id", "TEXT"), Column("b", "TEXT")))
Rows = list[tuple[str | None, str | None]]
cells = st.sampled_from((None, "1", "2"))
databases = st.lists(st.tuples(cells, cells), max_size=6)


def offer(table: Table, rows: Rows, lacking: str = "") -> Offered:
    schema = {ROWID: pl.Int64, **dict.fromkeys(table.names, pl.String)}
    frame = pl.DataFrame([(n, *row) for n, row in enumerate(rows)], schema=schema, orient="row")
    return Offered(frame.drop(lacking or []), frozenset(table.names) - {lacking})


def merge_with(table: Table, target: Rows, *backups: Rows) -> TableMerge:
    offers = [offer(table, rows) for rows in backups]
    return merge_with_keyless(table, offer(table, target), offers, Rules(MergePolicy()))


def rows_of(merge: TableMerge) -> Rows:
    return merge.merged.select(values_of(merge.merged)).rows()


@given(databases, databases, databases)
def test_every_row_is_there_as_often_as_where_it_is_most_often(
    target: Rows, first: Rows, second: Rows
) -> None:
    merge = merge_with(KEYLESS, target, first, second)
    assert Counter(rows_of(merge)) == Counter(target) | Counter(first) | Counter(second)
    assert rows_of(merge)[: len(target)] == target
    assert [count.read for count in merge.counts] == [len(first), len(second)]


@given(databases, databases)
def test_merging_again_adds_nothing(target: Rows, backup: Rows) -> None:
    once = rows_of(merge_with(KEYLESS, target, backup))
    again = merge_with(KEYLESS, once, backup, target)
    assert again.inserted.is_empty()
    assert Counter(rows_of(again)) == Counter(once)


@given(databases)
def test_a_database_merged_with_itself_stays(rows: Rows) -> None:
    assert rows_of(merge_with(KEYLESS, rows, rows)) == rows


@given(databases)
def test_rows_with_a_null_key_merge_whole_and_the_others_by_key(rows: Rows) -> None:
    keyed = [row for row in {row[0]: row for row in rows}.values() if row[0] is not None]
    keyless = [row for row in rows if row[0] is None]
    merge = merge_with(KEYED, [("1", "other")], [*keyed, *keyless])
    (count,) = merge.counts
    assert count.conflict == sum(row[0] == "1" for row in keyed)
    assert Counter(r for r in rows_of(merge) if r[0] is None) == Counter(keyless)
    assert [r for r in rows_of(merge) if r[0] == "1"] == [("1", "other")]


def test_a_column_a_backup_lacks_says_nothing_and_one_the_target_lacks_is_null() -> None:
    target = offer(KEYLESS, [("1", "2")])
    older = offer(KEYLESS, [("1", None)], lacking="b")
    merge = merge_with_keyless(KEYLESS, target, [older], Rules(MergePolicy()))
    assert merge.inserted.is_empty()
    merge = merge_with_keyless(KEYLESS, older, [target], Rules(MergePolicy()))
    assert merge.inserted.select("a", "b").rows() == [("1", "2")]
    both: Rows = [("1", None), ("1", "2")]
    assert merge_with(KEYLESS, rows_of(merge), both).inserted.is_empty()


def test_a_row_with_the_unique_key_of_another_is_in_conflict_with_it() -> None:
    table = Table(
        "extra",
        "carried",
        KEYED.columns,
        indexes=(Index("only", ("b",), unique=True),),
    )
    merge = merge_with(table, [("1", "x")], [("2", "x"), ("3", None), ("4", None), (None, "x")])
    (count,) = merge.counts
    assert (count.inserted, count.conflict) == (2, 2)
    assert merge.conflicts["key"].to_list() == ["2", "NULL"]
    assert merge.conflicts["columns"].to_list() == [["b"], ["b"]]
    assert merge.merged.filter(pl.col(TARGET_ROWID).is_not_null())["_origin"].to_list() == [TARGET]


def test_a_row_that_gives_way_takes_its_rewritten_cells_with_it() -> None:
    table = Table(KEYED.name, "carried", KEYED.columns, indexes=(Index("b", ("b",), unique=True),))
    cells = pl.DataFrame([(0, "b", "1"), (1, "b", "2")], schema=REWRITTEN, orient="row")
    backup = replace(offer(table, [("y", "1"), ("z", "2")]), rewritten=cells)
    held = offer(table, [("x", "1")])
    merge = merge_with_keyless(table, held, [backup], Rules(MergePolicy()))
    assert rows_of(merge) == [("x", "1"), ("z", "2")]
    assert merge.rewritten.select(ROWID, "value").rows() == [(1, "2")]
