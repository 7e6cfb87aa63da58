"""The laws every merge keeps, on five hundred random pairs of databases each.

``python -m pytest tests/merge/test_laws.py --hypothesis-profile=thorough`` tries ten thousand.
"""

import polars as pl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from neotoma_core.lineage.offers import Offered
from neotoma_core.merge.accounting import CLASSES
from neotoma_core.merge.plan import MergePlan, plan_merge
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.neotoma.frames import ROWID, TARGET_ROWID, values_of
from neotoma_core.neotoma.tables import BY_NAME
from tests.lineage.test_references import database
from tests.merge.random_databases import Rows, contents, side_by_side
from tests.merge.test_table import MODES

AT_ONCE = 5
EXAMPLES = settings(
    max_examples=max(100, settings().max_examples // AT_ONCE),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking many at once takes too long
    suppress_health_check=list(HealthCheck),
)
FEWER = settings(EXAMPLES, max_examples=EXAMPLES.max_examples // 4)
policies = st.builds(
    MergePolicy,
    st.sampled_from(MODES),
    st.sampled_from(["by-mode", "keep-earliest"]),
    st.booleans(),
)
many = st.lists(contents(), min_size=AT_ONCE, max_size=AT_ONCE).map(side_by_side)
Database = dict[str, Offered]
Contents = dict[str, Rows]


def result(plan: MergePlan) -> Database:
    """Return the merged database as one that could be merged again."""
    return {
        name: Offered(
            merge.merged.select(values_of(merge.merged))
            .with_row_index(ROWID, 1)
            .cast({ROWID: pl.Int64}),
            frozenset(BY_NAME[name].names),
        )
        for name, merge in plan.tables.items()
    }


def rows_of(database: Database) -> dict[str, list[str]]:
    """Return the rows of a database, in no order."""
    return {
        name: sorted(map(repr, offered.rows.select(values_of(offered.rows)).iter_rows()))
        for name, offered in database.items()
    }


def keys(database: Database, name: str) -> list[object]:
    rows = database[name].rows.select(BY_NAME[name].identity).rows()
    return sorted(set(rows), key=repr)


@EXAMPLES
@given(many, many, policies)
def test_every_row_is_accounted_for(here: Contents, there: Contents, policy: MergePolicy) -> None:
    target, backup = database(**here), database(**there)
    plan = plan_merge(target, [backup], policy)
    for counts in plan.counts:
        assert counts.read == backup[counts.table].rows.height
        assert counts.read == sum(getattr(counts, name) for name in CLASSES)
        assert counts.inserted == plan.tables[counts.table].inserted.height
        two_versions = plan.conflicts.filter(table=counts.table)
        assert counts.conflict + counts.three_way == two_versions.height
    for name, merge in plan.tables.items():
        rowids = merge.merged[TARGET_ROWID].drop_nulls().sort().to_list()
        left = plan.removed[name] if name in plan.removed else merge.merged.clear()
        assert sorted([*rowids, *left[ROWID]]) == target[name].rows[ROWID].sort().to_list()
    assert plan.dangling["new"].sum() == 0
    once = result(plan)
    again = plan_merge(once, [backup], policy)
    assert rows_of(result(again)) == rows_of(once)
    assert again.writes == 0


@FEWER
@given(many, policies)
def test_a_database_merged_with_itself_is_itself(here: Contents, policy: MergePolicy) -> None:
    # Rows that its own merges of entities have not reached yet are given to the survivors first.
    whole = database(**here)
    settled = result(plan_merge(whole, [whole], policy))
    plan = plan_merge(settled, [settled], policy)
    assert plan.writes == 0
    found = {name for c in plan.counts for name in CLASSES if getattr(c, name)}
    assert found <= {"identical", "skipped"}


@FEWER
@given(many, many)
def test_both_ways_round_the_same_keys_are_kept(here: Contents, there: Contents) -> None:
    one, other = database(**here), database(**there)
    keeping = result(plan_merge(one, [other], MergePolicy("keep-target")))
    replacing = result(plan_merge(other, [one], MergePolicy("keep-source")))
    for name in ("entities", "observations", "schema_registry"):
        assert keys(keeping, name) == keys(replacing, name)
