"""Which entities are deleted and which relationships are dead."""

from typing import Any

import polars as pl
import pytest

from neotoma_core.reduce.fields.objects import take_apart
from neotoma_core.reduce.tombstones import dead_subjects, find_deleted_groups

GONE = '{"_deleted":true}'


def groups(*rows: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return observations of one group, latest first, and their objects."""
    blank = {
        "id": "a",
        "group": 0,
        "subject": 0,
        "source_priority": 1,
        "observation_source": None,
        "observed_at": "2026",
    }
    observations = pl.DataFrame(
        [blank | row for row in rows],
        schema_overrides={"observation_source": pl.String, "source_priority": pl.Int64},
    ).with_row_index("row")
    return observations, take_apart(observations.select("row", "text")).exploded


@pytest.mark.parametrize(
    ("rows", "deleted"),
    [
        ([{"text": GONE}], [0]),
        ([{"text": '{"_deleted":"true"}'}], []),
        ([{"text": "{}"}, {"text": GONE}], []),
        ([{"text": "{}"}, {"text": GONE, "source_priority": 9}], [0]),
        ([{"text": "{}", "source_priority": None}, {"text": GONE}], [0]),
        ([{"text": GONE}, {"text": "{}", "observation_source": "sync"}], []),
        ([{"text": GONE, "source_priority": -1}, {"text": "{}", "source_priority": None}], []),
        ([{"text": "{}", "source_priority": 0}, {"text": GONE, "source_priority": None}], []),
        ([{"text": GONE, "source_priority": None}, {"text": "{}", "source_priority": 0}], [0]),
    ],
)
def test_an_entity_is_deleted_by_its_leading_observation(
    rows: list[dict[str, Any]], deleted: list[int]
) -> None:
    assert find_deleted_groups(*groups(*rows)).to_list() == deleted


@pytest.mark.parametrize(
    ("rows", "dead"),
    [
        ([{"text": '{"_deleted":"true"}'}], [0]),
        ([{"text": '{"_deleted":1.0}'}], [0]),
        ([{"text": '{"_deleted":"yes"}'}], []),
        ([{"text": GONE, "id": "b"}, {"text": "{}", "id": "a"}], []),
        ([{"text": GONE}, {"text": "{}", "observed_at": "2027"}], []),
        ([{"text": GONE}, {"text": "{}", "observed_at": None}], [0]),
        ([{"text": "{}", "source_priority": None}, {"text": GONE, "source_priority": -1}], [0]),
        ([{"text": GONE, "source_priority": 1}, {"text": "{}", "source_priority": 2}], []),
        ([{"text": "{}", "observed_at": "2027"}, {"text": GONE, "source_priority": 2}], [0]),
    ],
)
def test_a_relationship_is_dead_by_its_leading_observation(
    rows: list[dict[str, Any]], dead: list[int]
) -> None:
    assert dead_subjects(*groups(*rows)).to_list() == dead
