"""A column that a database does not have says nothing: neither in it, nor of its rows."""

from dataclasses import replace

import pytest

from neotoma_core.lineage.offers import Offered
from neotoma_core.merge.choosing import Rules
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.merge.table import TableMerge, merge_table
from tests.merge.test_table import MODES, OBSERVATIONS, Rows, classes, offer, rows_kept

STATED: Rows = [{"id": "a", "fields": "1", "identity_basis": "stated"}]
OTHER: Rows = [{"id": "a", "fields": "1", "identity_basis": "other"}]
SILENT: Rows = [{"id": "a", "fields": "1"}]


def lacking(rows: Rows, *names: str) -> Offered:
    """Return what a database offers that does not have some columns."""
    offered = offer(OBSERVATIONS, rows)
    return replace(offered, columns=offered.columns - set(names))


def merge_with(target: Offered, *backups: Offered, policy: MergePolicy | None = None) -> TableMerge:
    return merge_table(OBSERVATIONS, target, list(backups), Rules(policy or MergePolicy()))


NOTHING = lacking([])


@pytest.mark.parametrize("mode", MODES)
def test_a_row_is_the_same_where_the_backup_lacks_the_column_it_differs_in(mode: str) -> None:
    policy = MergePolicy(mode)  # type: ignore[arg-type]  # one of MODES
    merge = merge_with(
        offer(OBSERVATIONS, STATED), lacking(SILENT, "identity_basis"), policy=policy
    )
    assert classes(merge.counts[0]) == {"identical": 1}
    assert rows_kept(merge, "identity_basis") == [("stated",)]
    assert merge.writes == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_row_is_the_same_where_the_target_lacks_the_column_it_differs_in(mode: str) -> None:
    policy = MergePolicy(mode)  # type: ignore[arg-type]  # one of MODES
    merge = merge_with(
        lacking(SILENT, "identity_basis"), offer(OBSERVATIONS, STATED), policy=policy
    )
    assert classes(merge.counts[0]) == {"identical": 1}
    assert merge.writes == 0


def test_a_row_is_the_same_where_the_earlier_backup_lacks_the_column_it_differs_in() -> None:
    merge = merge_with(NOTHING, lacking(SILENT, "identity_basis"), offer(OBSERVATIONS, STATED))
    assert [classes(counts) for counts in merge.counts] == [{"inserted": 1}, {"identical": 1}]


def test_only_the_databases_that_lack_it_say_nothing() -> None:
    silent = lacking(SILENT, "identity_basis")
    merge = merge_with(offer(OBSERVATIONS, STATED), silent, offer(OBSERVATIONS, OTHER))
    assert [classes(counts) for counts in merge.counts] == [{"identical": 1}, {"conflict": 1}]
    assert merge.conflicts["columns"].to_list() == [["identity_basis"]]


def test_the_other_columns_still_count() -> None:
    more: Rows = [{"id": "a", "fields": "2"}]
    merge = merge_with(offer(OBSERVATIONS, STATED), lacking(more, "identity_basis"))
    assert classes(merge.counts[0]) == {"conflict": 1}
    assert merge.conflicts["columns"].to_list() == [["fields"]]


def test_a_time_that_one_side_lacks_does_not_make_a_row_sent_again() -> None:
    timed: Rows = [{"id": "a", "fields": "1", "created_at": "2026-02-01"}]
    merge = merge_with(offer(OBSERVATIONS, timed), lacking(SILENT, "created_at"))
    assert classes(merge.counts[0]) == {"identical": 1}
    merge = merge_with(lacking(SILENT, "created_at"), offer(OBSERVATIONS, timed))
    assert classes(merge.counts[0]) == {"identical": 1}
