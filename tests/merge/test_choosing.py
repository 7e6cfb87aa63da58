"""Which of two versions of a row is kept: as the mode says, unless a unique key is in the way."""

from dataclasses import replace

import polars as pl
import pytest

from neotoma_core.lineage.offers import MOVED_FROM, REWRITTEN, Offered
from neotoma_core.merge.choosing import Rules
from neotoma_core.merge.decisions import DECISIONS
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.merge.table import TableMerge, merge_table
from neotoma_core.neotoma.frames import ORIGIN
from tests.merge.test_table import (
    OBSERVATIONS,
    SOURCES,
    Rows,
    classes,
    merge,
    offer,
    row,
    rows_kept,
)
from tests.support.proven import store

SOURCE_WINS = MergePolicy("keep-source")
TRUE = dict(store(1))
ROTTEN = {**TRUE, "content_hash": "rotten"}
WITH_THE_TRUE_KEY = {**TRUE, "id": "another"}


def source(identifier: str, content_hash: str | None) -> dict[str, object]:
    return {"id": identifier, "user_id": "u", "content_hash": content_hash}


def judge(merged: TableMerge) -> list[tuple[object, ...]]:
    return merged.conflicts.select("key", "keep", "by").rows()


def test_a_version_with_another_unique_key_replaces_none() -> None:
    """A third row may have been remapped to the one that is there, for the key it has now."""
    here, there = source("s1", "h1"), source("s1", "h2")
    merged = merge([here], [there], table=SOURCES, policy=SOURCE_WINS)
    assert judge(merged) == [("s1", "target", "unique")]
    assert rows_kept(merged, "id", "content_hash") == [("s1", "h1")]


@pytest.mark.parametrize(
    ("others", "keep", "by", "content"),
    [([], "source", "mode", "h"), ([source("s2", "h")], "target", "unique", None)],
)
def test_a_version_takes_a_unique_key_where_there_was_none_and_nobody_has_it(
    others: Rows, keep: str, by: str, content: str | None
) -> None:
    merged = merge(
        [source("s1", None), *others], [source("s1", "h")], table=SOURCES, policy=SOURCE_WINS
    )
    assert judge(merged) == [("s1", keep, by)]
    assert ("s1", content) in rows_kept(merged, "id", "content_hash")


@pytest.mark.parametrize(
    ("others", "keep", "by"),
    [([], "source", "id"), ([WITH_THE_TRUE_KEY], "target", "unique")],
)
def test_what_an_id_proves_takes_its_place_unless_a_third_row_has_its_key(
    others: Rows, keep: str, by: str
) -> None:
    merged = merge([ROTTEN, *others], [TRUE], table=SOURCES)
    assert judge(merged) == [(TRUE["id"], keep, by)]


def test_the_first_backup_with_a_row_wins_also_where_it_says_what_the_target_does() -> None:
    merged = merge([row("a", "1")], [row("a", "1")], [row("a", "2")], policy=SOURCE_WINS)
    assert rows_kept(merged, "fields", ORIGIN) == [("1", -1)]
    again = row("a", observed_at="2026-03-01")
    merged = merge([row("a")], [row("a")], [again], policy=SOURCE_WINS)
    assert rows_kept(merged, "observed_at") == [("2026-02-01",)]
    merged = merge([row("a")], [again], [row("a")], policy=SOURCE_WINS)
    assert rows_kept(merged, "observed_at") == [("2026-03-01",)]


def repoint(stored: dict[str, object], moved_from: str | None) -> Offered:
    offered = offer(OBSERVATIONS, [stored])
    before = pl.lit(moved_from, pl.String).alias(MOVED_FROM)
    return replace(offered, rows=offered.rows.with_columns(before))


@pytest.mark.parametrize("policy", [MergePolicy(reingested="keep-earliest"), SOURCE_WINS])
def test_a_row_that_was_moved_and_sent_again_is_the_one_that_the_policy_says(
    policy: MergePolicy,
) -> None:
    late, early = row("a", observed_at="2026-03-11"), row("a", observed_at="2026-02-01")
    target, backup = repoint(late, None), repoint(early, "e0")
    merged = merge_table(OBSERVATIONS, target, [backup], Rules(policy))
    assert classes(merged.counts[0]) == {"moved": 1}
    assert rows_kept(merged, "observed_at") == [("2026-02-01",)]


def test_a_row_of_the_target_is_not_replaced_for_a_backups_row_of_the_same_number() -> None:
    cells = pl.DataFrame([(1, "source_id", "s1")], schema=REWRITTEN, orient="row")
    target = offer(OBSERVATIONS, [row("a")])
    backup = replace(offer(OBSERVATIONS, [row("b")]), rewritten=cells)
    merged = merge_table(OBSERVATIONS, target, [backup], Rules(MergePolicy()))
    assert merged.inserted["id"].to_list() == ["b"]
    assert merged.replaced.is_empty()
    own = merge_table(
        OBSERVATIONS, replace(target, rewritten=cells), [backup], Rules(MergePolicy())
    )
    assert own.replaced["id"].to_list() == ["a"]


def test_a_backup_that_has_one_content_twice_merges_in_every_mode() -> None:
    twice = [source("s1", "h"), source("s2", "h")]
    merged = merge([source("s0", "other")], twice, table=SOURCES, policy=SOURCE_WINS)
    assert classes(merged.counts[0]) == {"inserted": 1, "remapped": 1}
    assert rows_kept(merged, "id") == [("s0",), ("s1",)]


@pytest.mark.parametrize(
    ("backup", "table", "content"),
    [(0, "observations", "2"), (1, "observations", "3"), (2, "observations", "1"), (0, "t", "1")],
)
def test_a_decision_is_of_the_row_of_one_table_of_one_backup(
    backup: int, table: str, content: str
) -> None:
    said = pl.DataFrame([(backup, table, "a", "source")], schema=DECISIONS, orient="row")
    target, *backups = (offer(OBSERVATIONS, [row("a", n)]) for n in "123")
    merged = merge_table(OBSERVATIONS, target, backups, Rules(MergePolicy(), decisions=said))
    assert rows_kept(merged, "fields") == [(content,)]


def test_only_cells_of_rows_that_are_merged_are_rewritten() -> None:
    cells = pl.DataFrame(
        [(1, "source_id", "s1"), (2, "source_id", "s1")], schema=REWRITTEN, orient="row"
    )
    backup = replace(offer(OBSERVATIONS, [row("b"), row("a")]), rewritten=cells)
    merged = merge_table(
        OBSERVATIONS, offer(OBSERVATIONS, [row("a")]), [backup], Rules(MergePolicy())
    )
    assert merged.rewritten.select(ORIGIN, "_rowid").rows() == [(0, 1)]


def test_only_what_was_merely_sent_again_is_named_so() -> None:
    there = [row("a", observed_at="2026-03-01"), row("b", "new"), row("c"), row("d")]
    merged = merge([row("a"), row("b"), row("c")], there, there)
    assert merged.resent["key"].to_list() == ["a"]
