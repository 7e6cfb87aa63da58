"""A row that a fault of the merge loses or makes up is missed before anything is written."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from neotoma_core.lineage.repointing import repoint
from neotoma_core.merge import plan, table
from neotoma_core.merge.plan import plan_merge
from neotoma_core.merge.policy import MergePolicy
from tests.lineage.test_references import database
from tests.lineage.test_repointing import MERGED, UNAWARE, observe

HERE = {**MERGED, "observations": [observe("o", "b")]}
THERE = {**UNAWARE, "observations": [observe("p", "a"), observe("q", "b")]}

Fault = Callable[[pl.DataFrame], pl.DataFrame]


def lose_one(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.head(-1)


def make_one_up(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([rows, rows.tail(1)])


@pytest.mark.parametrize("fault", [lose_one, make_one_up])
@pytest.mark.parametrize(
    ("module", "step", "says"),
    [
        (table, "classify", "rows read"),
        (table, "by_mode", "rows read"),
        (table, "_in_order_of_insertion", "merged rows, not"),
    ],
)
def test_of_a_step_that_returns_another_number_of_rows(
    module: object, step: str, says: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = getattr(module, step)
    monkeypatch.setattr(module, step, lambda *args, **rest: fault(right(*args, **rest)))
    with pytest.raises(ValueError, match=says):
        plan_merge(database(**HERE), [database(**THERE)], MergePolicy())


def test_of_repointing_that_loses_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    right = repoint

    def lossy(*args: object) -> object:
        offers = right(*args)  # type: ignore[arg-type]  # what it is called with
        kept = offers[0]["observations"]
        lost = replace(kept, rows=kept.rows.head(-1))
        return {**offers, 0: {**offers[0], "observations": lost}}

    monkeypatch.setattr(plan, "repoint", lossy)
    with pytest.raises(ValueError, match="observations: 2 rows read, 1 accounted for"):
        plan_merge(database(**HERE), [database(**THERE)], MergePolicy())


def test_without_a_fault_all_add_up() -> None:
    counts = plan_merge(database(**HERE), [database(**THERE)], MergePolicy()).counts
    (found,) = (count for count in counts if count.table == "observations")
    assert (found.read, found.inserted) == (2, 2)
