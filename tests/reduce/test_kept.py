"""The fields every group keeps."""

import polars as pl

from neotoma_core.neotoma.schemas import EntitySchema, FieldRule, Registry
from neotoma_core.reduce.exact.rule_sets import R22
from neotoma_core.reduce.fields.kept import keep_fields, latest_of_each_key
from neotoma_core.reduce.fields.objects import take_apart
from neotoma_core.reduce.fields.rules import NO_FIELDS, FieldRules, rules_for
from neotoma_core.reduce.fields.values import FieldValues, field_values

FIELDS = {
    "late": FieldRule("late", "string"),
    "high": FieldRule("high", "string", strategy="highest_priority"),
    "all": FieldRule("all", "array", strategy="merge_array"),
}
RULES = rules_for(
    pl.DataFrame({"entity_type": ["note"], "user_id": ["u"]}),
    Registry({("note", None): EntitySchema("note", "1", FIELDS, ("human",))}),
    R22,
)


def state(
    *texts: str, schema: int | None, rules: FieldRules = RULES
) -> tuple[pl.DataFrame, FieldValues]:
    """Return observations of one entity, latest first, and their values."""
    observations = (
        pl.DataFrame({"text": texts})
        .with_row_index("row")
        .with_columns(
            group=pl.lit(0),
            contested=pl.lit(value=True),
            schema=pl.lit(schema, dtype=pl.UInt32),
            source=pl.format("o{}", "row"),
            source_priority=pl.col("row").cast(pl.Int64),
            specificity_score=pl.lit(None, dtype=pl.Float64),
            observation_source=pl.lit(None, dtype=pl.String),
            id_key=pl.format("o{}", "row"),
        )
    )
    exploded = take_apart(observations.select("row", "text")).exploded
    return observations, field_values(observations, exploded, rules.fields)


def test_every_field_is_reduced_by_its_own_strategy() -> None:
    observations, fields = state(
        '{"late":1,"high":1,"all":[1]}', '{"late":2,"high":{"2":0,"1":0},"all":[2]}', schema=0
    )
    kept = keep_fields(fields.values, observations, RULES).join(fields.keys, on="key")
    assert kept.sort("first").select("name", "value", "source").rows() == [
        ("late", "1", "o0"),
        ("high", '{"1":0,"2":0}', "o1"),
        ("all", "[2]", "o1"),
    ]


def test_a_field_that_ends_as_null_is_not_kept() -> None:
    observations, fields = state('{"late":null}', '{"late":2}', schema=0)
    assert keep_fields(fields.values, observations, RULES).is_empty()


def test_a_key_takes_its_latest_value_that_is_not_null() -> None:
    none = FieldRules(pl.DataFrame(), NO_FIELDS, pl.DataFrame(), ())
    _, fields = state('{"x":null,"y":-0}', '{"x":2,"y":3}', schema=None, rules=none)
    latest, failing = latest_of_each_key(fields.values)
    assert latest.sort("first").select("value", "source").rows() == [("2", "o1"), ("0", "o0")]
    assert failing.is_empty()


def test_a_group_with_a_key_that_is_only_ever_null_is_told() -> None:
    none = FieldRules(pl.DataFrame(), NO_FIELDS, pl.DataFrame(), ())
    _, fields = state('{"x":null,"y":1}', schema=None, rules=none)
    assert latest_of_each_key(fields.values)[1].to_list() == [0]
