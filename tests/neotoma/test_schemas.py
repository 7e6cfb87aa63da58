"""What is read from the rows of schema_registry, in rowid order."""

import pytest

from neotoma_core.neotoma.schemas import (
    DEFAULT_SOURCE_ORDER,
    Converter,
    FieldRule,
    Registry,
)

TITLE_ONLY = '{"fields": {"title": {"type": "string"}}}'
NO_POLICIES = '{"merge_policies": {}}'


def row(
    version: str,
    *,
    definition: str | None = TITLE_ONLY,
    config: str | None = NO_POLICIES,
    active: int = 1,
    user_id: str | None = None,
    scope: str | None = "global",
) -> dict[str, object]:
    return {
        "entity_type": "note",
        "schema_version": version,
        "schema_definition": definition,
        "reducer_config": config,
        "active": str(active),
        "user_id": user_id,
        "scope": scope,
    }


def version_for(rows: list[dict[str, object]], user_id: str | None = None) -> str | None:
    schema = Registry.from_rows(rows).schema_for("note", user_id)
    return None if schema is None else schema.schema_version


def test_the_first_active_row_wins_whatever_the_versions_say() -> None:
    assert version_for([row("9.0", active=0), row("1.2"), row("9.9")]) == "1.2"


def test_a_users_own_schema_comes_before_the_global_one() -> None:
    rows = [row("1.0"), row("2.0", user_id="u", scope="user")]
    assert version_for(rows, "u") == "2.0"
    assert version_for(rows, "v") == "1.0"
    assert version_for(rows, None) == "1.0"
    assert version_for(rows, "") == "1.0"


def test_a_global_row_serves_everyone_even_if_it_names_a_user() -> None:
    assert version_for([row("1.0", user_id="u")], "v") == "1.0"


def test_a_row_without_scope_is_invisible() -> None:
    assert version_for([row("1.0", scope=None), row("2.0")]) == "2.0"
    assert version_for([row("1.0", scope=None, user_id="u")], "u") is None


def test_a_type_nobody_registered_has_no_schema() -> None:
    assert Registry().schema_for("note", None) is None


def test_unreadable_rows_are_listed_and_the_next_candidate_is_used() -> None:
    registry = Registry.from_rows(
        [
            row("1", definition="{"),
            row("2", definition="[]"),
            row("3", definition=None),
            row("4", config="null"),
            row("5", definition='{"fields": []}'),
            row("6"),
            row("7", definition="{"),
        ]
    )
    schema = registry.schema_for("note", None)
    assert schema is not None
    assert schema.schema_version == "6"
    assert registry.broken == tuple(("note", version) for version in "12345")


def test_inactive_rows_are_not_even_read() -> None:
    assert Registry.from_rows([row("1", definition="{", active=0)]).broken == ()


def test_a_field_has_its_policy_and_without_one_the_last_write_wins() -> None:
    definition = '{"fields": {"a": {"type": "number"}, "b": {"type": "array"}, "c": null}}'
    config = """{"merge_policies": {
        "a": {"strategy": "most_specific", "tie_breaker": "source_priority"},
        "b": {"strategy": "merge_array"}}}"""
    schema = Registry.from_rows([row("1", definition=definition, config=config)]).schema_for(
        "note", None
    )
    assert schema is not None
    assert dict(schema.fields) == {
        "a": FieldRule("a", "number", (), "most_specific", "source_priority"),
        "b": FieldRule("b", "array", (), "merge_array", "observed_at"),
        "c": FieldRule("c", "", (), "last_write", "observed_at"),
    }
    assert schema.source_order == DEFAULT_SOURCE_ORDER


def test_converters_keep_their_order() -> None:
    definition = """{"fields": {"a": {"type": "string", "converters": [
        {"from": "number", "to": "string", "function": "number_to_string", "deterministic": true},
        7,
        {"from": "boolean"}]}}}"""
    schema = Registry.from_rows([row("1", definition=definition)]).schema_for("note", None)
    assert schema is not None
    assert schema.fields["a"].converters == (
        Converter("number", "string", "number_to_string"),
        Converter("boolean", "", ""),
    )


@pytest.mark.parametrize(
    ("stated", "strategy"),
    [
        ('"merge_somehow"', "merge_somehow"),
        ("7", "7"),
        ('""', "last_write"),
        ("null", "last_write"),
        ("0", "last_write"),
    ],
)
def test_a_strategy_is_kept_as_it_is_declared(stated: str, strategy: str) -> None:
    config = f'{{"merge_policies": {{"title": {{"strategy": {stated}}}}}}}'
    schema = Registry.from_rows([row("1", config=config)]).schema_for("note", None)
    assert schema is not None
    assert schema.fields["title"].strategy == strategy


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        ('"id"', "id"),
        ("7", "7"),
        ("0.5", "0.5"),
        ("true", "true"),
        ("{}", "[object Object]"),
        ('["a", null, ["b"]]', "a,,b"),
        *((none, "") for none in ('""', "null", "0", "false", "[]")),
    ],
)
def test_a_key_field_is_the_property_that_javascript_takes_it_for(stated: str, key: str) -> None:
    policy = f'{{"strategy": "merge_array_by_key", "key_field": {stated}}}'
    config = f'{{"merge_policies": {{"title": {policy}}}}}'
    schema = Registry.from_rows([row("1", config=config)]).schema_for("note", None)
    assert schema is not None
    assert schema.fields["title"].key_field == key


def test_a_schema_may_rank_sources_itself() -> None:
    config = '{"observation_source_priority": ["human", "import"]}'
    schema = Registry.from_rows([row("1", config=config)]).schema_for("note", None)
    assert schema is not None
    assert schema.source_order == ("human", "import")
