"""Whatever a merge of entities does to rows, the plan of its inverse takes back, and no more."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH
from neotoma_core.unmerge.plan import EntityMerge, UnmergePlan, plan_unmerge

MERGE = EntityMerge("m", "a", "b", "u", 0, None)
ENTITIES = st.sampled_from(["a", "b", "c"])
USERS = st.sampled_from(["u", "v"])
WHEN = datetime(2026, 3, 1, tzinfo=UTC)
EDGE = ("source_entity_id", "target_entity_id")
Observation = tuple[str, str]
Edge = tuple[str, str, str]


def as_rows(cells: list[dict[str, str]], *columns: str) -> pl.DataFrame:
    schema = dict.fromkeys(("id", "user_id", *columns), pl.String)
    return pl.DataFrame(cells, schema=schema).with_row_index("_rowid").cast({"_rowid": pl.Int64})


def as_versions(rows: pl.DataFrame) -> pl.DataFrame:
    moment = pl.lit(WHEN).cast(pl.Datetime("us", "UTC"))
    return rows.with_columns(pl.col("id").alias(ROW_HASH), moment.alias(ARCHIVED_AT))


def edges_of(edges: list[Edge]) -> list[dict[str, str]]:
    return [
        {
            "id": str(number),
            "user_id": user,
            "relationship_key": f"K:{source}:{target}",
            "source_entity_id": source,
            "target_entity_id": target,
        }
        for number, (source, target, user) in enumerate(edges)
    ]


def merge_edges(edges: list[dict[str, str]]) -> list[dict[str, str]]:
    """Neotoma's own way with edges: repointed, or deleted as a loop or as one that is there."""
    after: list[dict[str, str]] = []
    keys = {edge["relationship_key"] for edge in edges}
    for edge in edges:
        ends = {end: "b" if edge[end] == "a" else edge[end] for end in EDGE}
        if edge["user_id"] != "u" or ends == {end: edge[end] for end in EDGE}:
            after.append(edge)
            continue
        key = "K:{source_entity_id}:{target_entity_id}".format(**ends)
        if ends["source_entity_id"] != ends["target_entity_id"] and key not in keys:
            keys.add(key)
            after.append({**edge, **ends, "relationship_key": key})
    return after


def plan_for(
    observations: tuple[pl.DataFrame, pl.DataFrame], edges: tuple[pl.DataFrame, pl.DataFrame]
) -> UnmergePlan:
    after, before = observations
    later, earlier = edges
    none = pl.DataFrame(schema={ROW_HASH: pl.String})
    return plan_unmerge(MERGE, (after, as_versions(before)), (later, as_versions(earlier)), none)


@settings(deadline=None)
@given(
    st.lists(st.tuples(ENTITIES, USERS), max_size=6),
    st.lists(st.tuples(ENTITIES, ENTITIES, USERS), max_size=6),
)
def test_a_merge_is_taken_back(observations: list[Observation], edges: list[Edge]) -> None:
    cells = [
        {"id": str(number), "user_id": user, "entity_id": owner}
        for number, (owner, user) in enumerate(observations)
    ]
    before = as_rows(cells, "entity_id")
    moves = (pl.col("entity_id") == "a") & (pl.col("user_id") == "u")
    owner = pl.when(moves).then(pl.lit("b")).otherwise("entity_id")
    after = before.with_columns(entity_id=owner)
    known = edges_of(edges)
    columns = ("relationship_key", *EDGE)
    earlier, later = as_rows(known, *columns), as_rows(merge_edges(known), *columns)
    plan = plan_for((after, before), (later, earlier))

    back = pl.col("_rowid").is_in(plan.observations["_rowid"].implode())
    undone = after.with_columns(entity_id=pl.when(back).then(pl.lit("a")).otherwise("entity_id"))
    assert undone.equals(before)
    restored = later.update(plan.edges, on="_rowid").drop("_rowid")
    lost = earlier.filter(pl.col("id").is_in(plan.lost[ROW_HASH].implode())).drop("_rowid")
    assert pl.concat([restored, lost]).sort("id").equals(earlier.drop("_rowid").sort("id"))


def test_a_row_that_was_gone_before_the_merge_does_not_come_back() -> None:
    rows = as_rows([], "entity_id")
    edges = as_rows(edges_of([("a", "b", "u")]), "relationship_key", *EDGE)
    gone = pl.DataFrame({ROW_HASH: ["0"]})
    plan = plan_unmerge(MERGE, (rows, as_versions(rows)), (edges.clear(), as_versions(edges)), gone)
    assert plan.lost.is_empty()
