"""Merging one table: the laws it keeps, on random databases, and its cases, on small ones."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.lineage.offers import Offered
from neotoma_core.merge.accounting import CLASSES, RowCounts
from neotoma_core.merge.choosing import Rules
from neotoma_core.merge.policy import MergeMode, MergePolicy
from neotoma_core.merge.table import TableMerge, merge_table
from neotoma_core.neotoma.frames import ORIGIN, POLARS_TYPES, ROWID, TARGET
from neotoma_core.neotoma.tables import BY_NAME, Table

OBSERVATIONS = BY_NAME["observations"]
SOURCES = BY_NAME["sources"]
REGISTRY = BY_NAME["schema_registry"]
MODES: list[MergeMode] = ["safe", "keep-target", "keep-source"]
Rows = list[dict[str, object]]


def offer(table: Table, rows: Sequence[dict[str, object]]) -> Offered:
    """Return rows given by some of their columns as what a database offers."""
    schema = {column.name: POLARS_TYPES[column.type] for column in table.columns}
    numbered = [{ROWID: place, **row} for place, row in enumerate(rows, start=1)]
    frame = pl.DataFrame(numbered, schema={ROWID: pl.Int64, **schema})
    return Offered(frame, frozenset(table.names))


def merge(
    target: Rows, *backups: Rows, table: Table = OBSERVATIONS, policy: MergePolicy | None = None
) -> TableMerge:
    offers = [offer(table, rows) for rows in backups]
    return merge_table(table, offer(table, target), offers, Rules(policy or MergePolicy()))


def rows_kept(merged: TableMerge, *columns: str) -> list[tuple[object, ...]]:
    return sorted(merged.merged.select(columns).rows(), key=repr)


def classes(counts: RowCounts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in CLASSES if getattr(counts, name)}


def row(identifier: str, fields: str = "{}", observed_at: str = "2026-02-01") -> dict[str, object]:
    return {"id": identifier, "fields": fields, "observed_at": observed_at}


def test_a_missing_row_is_inserted_and_an_equal_one_is_identical() -> None:
    merged = merge([row("a")], [row("a"), row("b")])
    assert classes(merged.counts[0]) == {"inserted": 1, "identical": 1}
    assert rows_kept(merged, "id") == [("a",), ("b",)]


def test_keep_target_leaves_the_targets_row_and_names_the_columns_that_differ() -> None:
    merged = merge([row("a", "{}")], [row("a", '{"x":1}')])
    assert rows_kept(merged, "fields") == [("{}",)]
    assert merged.conflicts.rows() == [(0, "observations", "a", ["fields"], "target", "mode")]


def test_keep_source_takes_the_first_backups_row() -> None:
    policy = MergePolicy("keep-source")
    merged = merge([row("a", "1")], [row("a", "2")], [row("a", "3")], policy=policy)
    assert rows_kept(merged, "fields", ORIGIN) == [("2", 0)]
    assert merged.replaced.height == 1
    assert [classes(counts) for counts in merged.counts] == [{"conflict": 1}, {"conflict": 1}]


def test_a_row_that_differs_only_in_its_times_was_sent_again() -> None:
    merged = merge([row("a", observed_at="2026-03-11")], [row("a", observed_at="2026-02-01")])
    assert classes(merged.counts[0]) == {"reingested": 1}
    assert rows_kept(merged, "observed_at") == [("2026-03-11",)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_keep_earliest_takes_the_first_time_a_fact_was_observed(order: tuple[int, int]) -> None:
    backups: list[Rows] = [
        [row("a", observed_at="2026-02-01T01:00:00.000+02:00")],
        [row("a", observed_at="2026-02-01T00:00:00.000Z")],
    ]
    policy = MergePolicy(reingested="keep-earliest")
    target = [row("a", observed_at="2026-03-11T00:00:00.000Z")]
    merged = merge(target, *(backups[place] for place in order), policy=policy)
    assert rows_kept(merged, "observed_at") == [("2026-02-01T01:00:00.000+02:00",)]


def test_null_and_empty_text_are_different_values() -> None:
    merged = merge([{"id": "a", "fields": None}], [{"id": "a", "fields": ""}])
    assert classes(merged.counts[0]) == {"conflict": 1}


def test_a_source_with_the_content_of_another_is_remapped_to_it() -> None:
    here: dict[str, object] = {"id": "s1", "content_hash": "h", "user_id": "u"}
    merged = merge([here], [{**here, "id": "s2"}], table=SOURCES)
    assert classes(merged.counts[0]) == {"remapped": 1}
    assert merged.remapped.rows() == [(0, "s2", "s1")]


def test_two_sources_with_one_content_in_one_backup_become_one() -> None:
    there = {"content_hash": "h", "user_id": "u"}
    merged = merge([], [{"id": "s1", **there}, {"id": "s2", **there}], table=SOURCES)
    assert classes(merged.counts[0]) == {"inserted": 1, "remapped": 1}


def test_sources_without_a_content_hash_are_different_sources() -> None:
    merged = merge([{"id": "s1", "user_id": "u"}], [{"id": "s2", "user_id": "u"}], table=SOURCES)
    assert classes(merged.counts[0]) == {"inserted": 1}


def test_sources_without_a_content_hash_replace_each_its_own() -> None:
    def source(identifier: str, name: str) -> dict[str, object]:
        return {"id": identifier, "user_id": "u", "original_filename": name}

    merged = merge(
        [source("s1", "old"), source("s2", "old")],
        [source("s1", "new"), source("s2", "new")],
        table=SOURCES,
        policy=MergePolicy("keep-source"),
    )
    assert rows_kept(merged, "id", "original_filename") == [("s1", "new"), ("s2", "new")]


def test_the_registry_goes_by_what_a_schema_describes_not_by_its_random_id() -> None:
    schema = {"entity_type": "note", "schema_version": "1", "scope": "global", "active": 1}
    merged = merge(
        [{**schema, "id": "r1", "created_at": "a"}],
        [{**schema, "id": "r2", "created_at": "b"}, {**schema, "id": "r3", "active": 0}],
        table=REGISTRY,
    )
    assert classes(merged.counts[0]) == {"identical": 2}
    assert rows_kept(merged, "id", "active") == [("r1", 1)]


@pytest.mark.parametrize(
    ("definition", "judged"), [("first", "identical"), ("second", "identical"), ("x", "conflict")]
)
def test_a_schema_is_compared_with_the_one_like_it_of_two_of_one_name(
    definition: str, judged: str
) -> None:
    def schema(definition: str) -> dict[str, object]:
        named = {"entity_type": "note", "schema_version": "1", "scope": "global"}
        return {**named, "id": f"random {definition}", "schema_definition": definition}

    target = [schema("first"), schema("second")]
    merged = merge(target, [schema(definition)], table=REGISTRY)
    assert classes(merged.counts[0]) == {judged: 1}
    assert rows_kept(merged, "schema_definition") == [("first",), ("second",)]


def test_which_schema_is_active_stays_as_in_the_target() -> None:
    schema = {"entity_type": "note", "schema_version": "1", "scope": "global"}
    merged = merge(
        [{**schema, "id": "r1", "active": 0, "schema_definition": "old"}],
        [{**schema, "id": "r2", "active": 1, "schema_definition": "new"}],
        table=REGISTRY,
        policy=MergePolicy("keep-source"),
    )
    assert classes(merged.counts[0]) == {"conflict": 1}
    assert rows_kept(merged, "id", "active", "schema_definition") == [("r1", 0, "new")]


def test_inserted_registry_rows_lie_as_in_their_backup_whatever_the_order_of_backups() -> None:
    def schema(version: str) -> dict[str, object]:
        return {"id": version, "entity_type": "note", "schema_version": version, "scope": "global"}

    first = [schema("9"), schema("1")]
    second = [schema("5"), schema("9"), schema("1")]
    orders = [
        merge([], *backups, table=REGISTRY).inserted["schema_version"].to_list()
        for backups in ([first, second], [second, first])
    ]
    assert orders[0] == orders[1] == ["5", "9", "1"]


cells = st.sampled_from(["", "x", "y", None])
stored_rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcdef"),
            "fields": cells,
            "observed_at": st.sampled_from(["2026-02-01", "2026-02-02", "2026-02-03"]),
        }
    ),
    max_size=6,
    unique_by=lambda stored: str(stored["id"]),
)


@settings(max_examples=300, deadline=None)
@given(stored_rows, st.lists(stored_rows, min_size=1, max_size=3), st.sampled_from(MODES))
def test_every_row_read_is_accounted_for_and_the_result_is_the_union_of_keys(
    target: Rows, backups: list[Rows], mode: MergeMode
) -> None:
    merged = merge(target, *backups, policy=MergePolicy(mode))
    for counts, rows in zip(merged.counts, backups, strict=True):
        assert sum(getattr(counts, name) for name in CLASSES) == counts.read == len(rows)
    keys = {stored["id"] for rows in (target, *backups) for stored in rows}
    assert merged.merged["id"].sort().to_list() == sorted(map(str, keys))
    assert merged.inserted.height == sum(counts.inserted for counts in merged.counts)


@settings(max_examples=100, deadline=None)
@given(stored_rows, st.lists(stored_rows, min_size=1, max_size=3), st.sampled_from(MODES))
def test_merging_again_inserts_and_replaces_nothing(
    target: Rows, backups: list[Rows], mode: MergeMode
) -> None:
    policy = MergePolicy(mode)
    once = merge(target, *backups, policy=policy)
    names = list(OBSERVATIONS.names)
    again = merge(once.merged.select(names).to_dicts(), *backups[:1], policy=policy)
    assert again.inserted.height == 0
    if mode != "keep-source":
        assert again.replaced.height == 0


@settings(max_examples=100, deadline=None)
@given(stored_rows, stored_rows)
def test_keep_target_leaves_every_row_of_the_target(target: Rows, backup: Rows) -> None:
    merged = merge(target, backup).merged.filter(pl.col(ORIGIN) == TARGET)
    assert merged.select("id", "fields").rows() == [(r["id"], r["fields"]) for r in target]


@settings(max_examples=100, deadline=None)
@given(stored_rows, st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=4), st.randoms())
def test_a_log_split_into_backups_without_conflicts_merges_the_same_in_any_order(
    log: Rows, parts: list[set[int]], random: object
) -> None:
    backups = [[log[place] for place in sorted(part) if place < len(log)] for part in parts]
    shuffled = list(backups)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # Hypothesis' own Random
    assert rows_kept(merge([], *backups), *OBSERVATIONS.names) == rows_kept(
        merge([], *shuffled), *OBSERVATIONS.names
    )


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="2 rows read, 1 accounted for"):
        RowCounts(0, "observations", read=2, inserted=1)


@pytest.mark.parametrize("reasons", [{}, {"damaged": 1}, {"damaged": 2, "repeated": 1}])
def test_a_row_is_skipped_for_one_reason(reasons: dict[str, int]) -> None:
    assert RowCounts(0, "t", 2, skipped=2, reasons={"damaged": 1, "repeated": 1}).skipped == 2
    with pytest.raises(ValueError, match="2 rows skipped, not all with a reason"):
        RowCounts(0, "t", 2, skipped=2, reasons=reasons)
