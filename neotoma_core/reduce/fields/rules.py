"""Merge policies and source orders as frames, so that they can be joined to observations."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.neotoma.schemas import DEFAULT_SOURCE_ORDER, EntitySchema, FieldRule, Registry
from neotoma_core.reduce.exact.rule_sets import RuleSet

LATEST: Final = "latest"
PRIORITY: Final = "priority"
PRIORITY_ID: Final = "priority, id"
RECENCY: Final = "priority, recency"
SPECIFICITY: Final = "specificity"
SPECIFICITY_PRIORITY: Final = "specificity, priority"
UNION: Final = "union"
EXACT: Final = "exact"

PICK: Final = pl.Enum(
    [LATEST, PRIORITY, PRIORITY_ID, RECENCY, SPECIFICITY, SPECIFICITY_PRIORITY, UNION, EXACT]
)
"""How a field picks its value: by one of six orders, the union of what ranks highest, or in a way
that only the exact reducer has (or fails at)."""

_HALVED: Final = re.compile(r"[\ud800-\udfff]")  # which no frame can hold
_PICKS: Final = {
    ("last_write", "observed_at"): LATEST,
    ("last_write", "source_priority"): LATEST,
    ("highest_priority", "observed_at"): PRIORITY,
    ("highest_priority", "source_priority"): PRIORITY_ID,
    ("most_specific", "observed_at"): SPECIFICITY,
    ("most_specific", "source_priority"): SPECIFICITY_PRIORITY,
    ("merge_array", "observed_at"): UNION,
    ("merge_array", "source_priority"): UNION,
}


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The rules of the fields that a set of entities has.

    Attributes:
        schemas: (entity_type, user_id, schema, active_version), one row per combination given;
            ``schema`` is null where the type has no active schema.
        fields: (schema, name, pick, conversion): the fields that reach a snapshot; ``conversion``
            is the place of the rule in ``conversions``, null where nothing can be converted.
        sources: (schema, observation_source, source_rank); sources without a row rank last.
        conversions: the field rules that have converters.
    """

    schemas: pl.DataFrame
    fields: pl.DataFrame
    sources: pl.DataFrame
    conversions: Sequence[FieldRule]

    @property
    def only_exact(self) -> pl.Series:
        """The schemas with a field that only the exact reducer can pick."""
        return self.fields.filter(pl.col("pick") == EXACT)["schema"].unique()


def rules_for(owners: pl.DataFrame, registry: Registry, rules: RuleSet) -> FieldRules:
    """Look up the rules of distinct (entity_type, user_id), as one Neotoma reads them."""
    found = [registry.schema_for(*owner) for owner in owners.iter_rows()]
    numbers: dict[int, int] = {}
    schemas: list[EntitySchema] = []
    for schema in found:
        if schema is not None and id(schema) not in numbers:
            numbers[id(schema)] = len(schemas)
            schemas.append(schema)
    conversions = [rule for schema in schemas for rule in schema.fields.values() if rule.converters]
    return FieldRules(
        schemas=owners.with_columns(
            schema=pl.Series([numbers.get(id(s)) for s in found], dtype=pl.UInt32),
            active_version=pl.Series(
                [s.schema_version if s else None for s in found], dtype=pl.String
            ),
        ),
        fields=_fields(schemas, {id(rule): i for i, rule in enumerate(conversions)}, rules),
        sources=source_ranks({i: schema.source_order for i, schema in enumerate(schemas)}),
        conversions=conversions,
    )


_FIELDS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "schema": pl.UInt32,
    "name": pl.String,
    "pick": PICK,
    "conversion": pl.UInt32,
}
NO_FIELDS: Final = pl.DataFrame(schema=_FIELDS)


def pick_of(rule: FieldRule, rules: RuleSet) -> str:
    """Return the ``PICK`` of a field."""
    if rule.strategy not in rules.strategies:
        return EXACT
    if rule.strategy == "highest_priority" and rules.ties == "recency":
        return RECENCY
    return _PICKS.get((rule.strategy, rule.tie_breaker), EXACT)


def _fields(
    schemas: Sequence[EntitySchema], conversions: Mapping[int, int], rules: RuleSet
) -> pl.DataFrame:
    rows = [
        (number, name, pick_of(rule, rules), conversions.get(id(rule)))
        for number, schema in enumerate(schemas)
        for name, rule in schema.fields.items()
        if not _HALVED.search(name)  # what states it is left to the exact reducer
    ]
    return pl.DataFrame(rows, schema=_FIELDS, orient="row")


def source_ranks(orders: Mapping[int, Sequence[str]]) -> pl.DataFrame:
    """Return (schema, observation_source, source_rank) of named orders, best first."""
    rows = [
        (number, source, rank)
        for number, order in orders.items()
        for source, rank in {source: rank for rank, source in enumerate(order)}.items()
    ]
    schema = {"schema": pl.UInt32, "observation_source": pl.String, "source_rank": pl.UInt32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def default_source_rank(source: pl.Expr) -> pl.Expr:
    """Return the rank of a source in the order of Neotoma itself; unknown sources rank last."""
    ranks = {name: rank for rank, name in enumerate(DEFAULT_SOURCE_ORDER)}
    last = len(DEFAULT_SOURCE_ORDER)
    return source.fill_null("").replace_strict(ranks, default=last, return_dtype=pl.UInt32)
