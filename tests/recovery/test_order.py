"""The order of backups: without conflicts between them it does not matter."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import recover_into
from tests.support.databases import Row, entity, make_database, observation, read_all, source

parts = st.lists(
    st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True), min_size=2, max_size=4
)


def rows_of(number: int) -> dict[str, Row]:
    owner = f"e{number % 3}"
    return {
        "sources": source(f"s{number}"),
        "entities": entity(owner),
        "observations": observation(
            f"o{number}",
            owner,
            source_id=f"s{number}",
            observed_at=f"2026-02-0{number % 4 + 1}T00:00:00.000Z",
            fields=f'{{"title":"{number}","f{number}":{number}}}',
        ),
        "schema_registry": {
            "id": f"r{number % 2}",
            "entity_type": "note",
            "schema_version": f"{number % 2}.0",
            "schema_definition": '{"fields":{"title":{"type":"string"}}}',
            "reducer_config": "{}",
            "active": 1,
            "scope": "global",
        },
    }


def backup_of(path: Path, numbers: list[int]) -> Path:
    tables: dict[str, dict[object, Row]] = {}
    for number in sorted(numbers):
        for table, row in rows_of(number).items():
            tables.setdefault(table, {})[row["id"]] = row
    return make_database(path, {table: rows.values() for table, rows in tables.items()})


@settings(max_examples=8, deadline=None)
@given(parts, st.integers())
def test_backups_without_conflicts_give_the_same_database_in_any_order(
    numbers: list[list[int]], seed: int
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        backups = [
            backup_of(folder / f"backup{place}.db", part) for place, part in enumerate(numbers)
        ]
        shuffled = random.Random(seed).sample(backups, len(backups))  # noqa: S311 - a test's order
        results = []
        for place, order in enumerate((backups, shuffled)):
            target = folder / f"target{place}.db"
            recover_into(folder / f"vault{place}")(target, *order)
            results.append(read_all(target))
    assert results[0] == results[1]
