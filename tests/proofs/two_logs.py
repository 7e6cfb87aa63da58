"""Two databases; each has something that the other lacks."""

from pathlib import Path

from tests.proofs.planting import (
    FOREIGN_KEYS,
)
from tests.support.carrying import run as execute
from tests.support.databases import Row, entity, make_database, observation, source
from tests.support.rebuilding import rebuild

LATER = "2026-03-01T00:00:00.000Z"


LOG = (
    "CREATE TABLE lines (line TEXT, user_id TEXT)",
    "INSERT INTO lines (line) VALUES ('both'), ('both')",
)


def edge(identifier: str, end: str) -> Row:
    return {
        "id": identifier,
        "relationship_key": f"KNOWS:e1:{end}",
        "relationship_type": "KNOWS",
        "source_entity_id": "e1",
        "target_entity_id": end,
        "observed_at": "2026-02-01T00:00:00.000Z",
        "metadata": "{}",
    }


def database(path: Path, **more: list[Row]) -> Path:
    """Make a database of three entities, with something in every kind of table."""
    rows = {
        "sources": [source("s1"), source("s2", original_filename=path.name)],
        "entities": [entity(f"e{n}") for n in range(1, 7)],
        "observations": [observation(f"o{n}", f"e{n}") for n in (1, 3, 4)],
        "relationship_observations": [edge("r1", "e2")],
    }
    make_database(
        path, {name: [*rows.get(name, ()), *more.get(name, ())] for name in {**rows, **more}}
    )
    return execute(path, *LOG, *FOREIGN_KEYS)


def make_two_logs(folder: Path) -> None:
    """Make two databases.

    A target with snapshots, and with references that lead nowhere already; and a backup: a copy
    with a newer source, an observation and an edge more, and an entity deleted.
    """
    events: list[Row] = [
        {"event_type": "told", "payload": "{}", "created_at": LATER, "entity_id": "e1"}
    ]
    target = database(
        folder / "data" / "target.db",
        sources=[source("s3")],
        observations=[observation(f"d{n}", "e1", source_id="nowhere") for n in range(3)],
        substrate_events=events,
    )
    rebuild(target)
    gone = observation("o9", "e3", observed_at=LATER, source_priority=1000)
    backup = database(
        folder / "backup.db",
        observations=[
            observation("o2", "e1", source_id="s1"),
            {**gone, "fields": '{"_deleted":true}'},
        ],
        relationship_observations=[edge("r2", "e3")],
    )
    execute(backup, "INSERT INTO lines (line) VALUES ('new')")
