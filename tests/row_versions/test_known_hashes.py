"""Notes of hashes: they change no result, and are started again when they are of no use."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.row_versions.hashed_rows import hash_keys
from neotoma_core.row_versions.known_hashes import FOLDER, KnownHashes
from tests.support.archiving import archive, of_table
from tests.support.databases import entity, make_database, observation

TABLE = BY_NAME["observations"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    rows = [observation(f"o{n}", specificity_score=0.0) for n in range(5)]
    return make_database(tmp_path / "db.sqlite", {"entities": [entity("e1")], "observations": rows})


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE observations SET specificity_score = 1e-320 WHERE id = 'o1'",
        "UPDATE observations SET fields = NULL WHERE id = 'o1'",
        "UPDATE observations SET source_priority = 'text' WHERE id = 'o1'",
        "UPDATE observations SET provenance = '' WHERE id = 'o1'",
        "DELETE FROM observations WHERE id <> 'o1'",
    ],
)
def test_hashes_are_the_same_with_notes_and_without(
    statement: str, database: Path, tmp_path: Path
) -> None:
    place = tmp_path / "notes"
    place.mkdir()
    known = KnownHashes(place)
    hash_keys(database, TABLE, TABLE.names, known)
    known.keep()
    change(database, statement)
    again = KnownHashes(place)
    assert again.has(TABLE.name)
    with_notes = hash_keys(database, TABLE, TABLE.names, again)
    assert with_notes.equals(hash_keys(database, TABLE, TABLE.names))


def test_a_row_that_changed_in_its_last_bit_only_is_archived_again(database: Path) -> None:
    change(database, "UPDATE observations SET specificity_score = 0.3")
    archive(database)
    change(database, "UPDATE observations SET specificity_score = 0.1 + 0.2 WHERE id = 'o1'")
    assert of_table(archive(database), "observations").changed == 1


@pytest.mark.parametrize("harm", ["gone", "noise", "another version"])
def test_notes_that_are_of_no_use_are_passed_over(harm: str, database: Path) -> None:
    archive(database)
    notes = database.parent / "archive" / FOLDER
    for path in notes.iterdir():
        if harm == "gone":
            path.unlink()
        elif harm == "noise":
            path.write_bytes(b"noise")
        elif path.name == "seeds.json":
            path.write_text('{"polars":"0.1","seeds":[1,2]}')
    assert archive(database).outcome == "unchanged"
    assert archive(database).outcome == "unchanged"
