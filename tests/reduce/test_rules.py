"""Merge policies and source orders as frames."""

import polars as pl

from neotoma_core.neotoma.schemas import Converter, EntitySchema, FieldRule, Registry
from neotoma_core.reduce.exact.rule_sets import R22, R23, R26
from neotoma_core.reduce.fields.rules import EXACT, RECENCY, default_source_rank, pick_of, rules_for

NUMBER = FieldRule("n", "number", (Converter("string", "number", "string_to_number"),))
HIGH = FieldRule("h", "string", (), "highest_priority", "source_priority")
REGISTRY = Registry(
    {
        ("note", None): EntitySchema("note", "1.0", {"n": NUMBER, "h": HIGH}),
        ("note", "u"): EntitySchema("note", "2.0", {"n": NUMBER}, ("human", "import")),
    }
)
OWNERS = pl.DataFrame(
    {"entity_type": ["note", "note", "other"], "user_id": ["u", None, "u"]},
    schema_overrides={"user_id": pl.String},
)


def test_a_user_has_their_own_schema_before_the_global_one() -> None:
    schemas = rules_for(OWNERS, REGISTRY, R22).schemas
    assert schemas["active_version"].to_list() == ["2.0", "1.0", None]
    assert schemas["schema"].null_count() == 1


def test_fields_tell_how_they_pick_and_which_conversion_they_have() -> None:
    rules = rules_for(OWNERS.slice(1, 1), REGISTRY, R22)
    assert rules.fields.rows() == [(0, "n", "latest", 0), (0, "h", "priority, id", None)]
    assert list(rules.conversions) == [NUMBER]


def test_sources_rank_in_the_order_of_the_schema() -> None:
    assert rules_for(OWNERS.slice(0, 1), REGISTRY, R22).sources.rows() == [
        (0, "human", 0),
        (0, "import", 1),
    ]


def test_unknown_and_missing_sources_rank_last_by_default() -> None:
    sources = pl.Series(["sensor", "sync", "martian", "", None])
    ranks = pl.select(default_source_rank(pl.lit(sources))).to_series().to_list()
    assert ranks == [0, 5, 6, 6, 6]


def test_what_the_rules_do_not_know_is_left_to_the_exact_reducer() -> None:
    keyed = FieldRule("k", "array", (), "merge_array_by_key", key_field="id")
    made_up = FieldRule("m", "array", (), "merge_somehow")
    assert [pick_of(rule, R23) for rule in (keyed, made_up, HIGH)] == [EXACT, EXACT, RECENCY]
    assert pick_of(keyed, R26) == EXACT
    registry = Registry({("note", None): EntitySchema("note", "1", {"n": NUMBER, "m": made_up})})
    assert rules_for(OWNERS, registry, R22).only_exact.to_list() == [0]
    assert rules_for(OWNERS, REGISTRY, R22).only_exact.is_empty()
