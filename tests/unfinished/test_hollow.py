import polars as pl

from neotoma_core.unfinished.hollow import hollow_entities


def ids(*names: str) -> pl.Series:
    return pl.Series(names, dtype=pl.String)


def entities(*rows: tuple[str | None, str | None]) -> pl.DataFrame:
    schema = {"id": pl.String, "merged_to_entity_id": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_an_entity_without_an_observation_is_hollow_unless_something_explains_it() -> None:
    rows = entities(
        ("hollow", None),
        ("also", ""),
        ("pointing", "seen"),
        ("seen", None),
        ("merged", None),
        ("split", None),
        (None, None),
    )
    found = hollow_entities(rows, ids("seen"), ids("merged"), ids("split"))
    assert found["id"].to_list() == ["hollow", "also"]


def test_without_entities_nothing_is_hollow() -> None:
    assert hollow_entities(entities(), ids(), ids(), ids()).is_empty()
