"""A small database whose snapshots are as the log says."""

from pathlib import Path

import pytest

from tests.support.databases import USER, entity, make_database, observation
from tests.support.rebuilding import rebuild


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Three entities, one of them with two observations, their snapshots rebuilt."""
    path = make_database(
        tmp_path / "small.db",
        {
            "entities": [entity(name) for name in ("e1", "e2", "e3")],
            "observations": [
                observation("o1", "e1"),
                observation("o2", "e1", observed_at="2026-02-02T00:00:00.000Z"),
                observation("o3", "e2", entity_type="task"),
                observation("o4", "e3"),
            ],
            "relationship_observations": [
                {
                    "id": "r1",
                    "relationship_key": "PART_OF:e1:e2",
                    "relationship_type": "PART_OF",
                    "source_entity_id": "e1",
                    "target_entity_id": "e2",
                    "observed_at": "2026-02-01T00:00:00.000Z",
                    "metadata": '{"since":"2020"}',
                    "user_id": USER,
                }
            ],
        },
    )
    assert rebuild(path).writes == 4
    return path
