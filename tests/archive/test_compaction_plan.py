"""Which files become one."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.archive.compaction_plan import (
    LONGEST_WRITER,
    SizedFile,
    plan_compaction,
    retention_hours,
    sort_columns,
)
from neotoma_core.errors import UsageError


def files(*sizes: int) -> list[SizedFile]:
    return [SizedFile(str(number), size, 1) for number, size in enumerate(sizes)]


def names(sizes: list[int]) -> list[list[str]]:
    plan = plan_compaction("observations", files(*sizes), large=100)
    return [[file.name for file in group] for group in plan.groups]


def test_small_files_become_one_and_large_ones_stay() -> None:
    assert names([10, 200, 20, 30]) == [["0", "2", "3"]]


def test_a_small_file_alone_stays() -> None:
    assert names([10, 100]) == []
    assert names([]) == []


def test_a_group_does_not_grow_beyond_a_large_file() -> None:
    assert names([60, 30, 30, 40]) == [["0", "1"], ["2", "3"]]


@settings(deadline=None)
@given(st.lists(st.integers(0, 150)))
def test_no_file_is_in_two_groups(sizes: list[int]) -> None:
    grouped = [name for group in names(sizes) for name in group]
    assert len(grouped) == len(set(grouped))


def test_no_old_file_goes_while_a_writer_may_be_at_it() -> None:
    assert retention_hours(LONGEST_WRITER) == 24
    assert retention_hours(timedelta(days=7)) == 168
    with pytest.raises(UsageError):
        retention_hours(timedelta(0))


def test_rows_are_sorted_by_entity_then_time() -> None:
    assert sort_columns("observations") == ("entity_id", "observed_at", "id")
    assert sort_columns("sources") == ("created_at", "id")
