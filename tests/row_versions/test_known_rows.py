"""Notes of rows: they change no result, and are passed over when they are of no use."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.archive.report import ArchiveReport
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.row_versions.known_rows import FOLDER
from tests.support.archiving import archive, log_of, of_table, rebuild
from tests.support.databases import entity, make_database, observation

CHANGES = {
    "in its last bit": "UPDATE observations SET specificity_score = 0.1 + 0.2 WHERE id = 'o1'",
    "to nothing": "UPDATE observations SET fields = NULL WHERE id = 'o1'",
    "to another type": "UPDATE observations SET source_priority = 'text' WHERE id = 'o1'",
    "back-dated": "INSERT INTO observations SELECT 'old', entity_id, entity_type, schema_version, "
    "source_id, interpretation_id, '2020-01-01T00:00:00.000Z', specificity_score, source_priority, "
    "observation_source, fields, '2020-01-01T00:00:00.000Z', user_id, idempotency_key, "
    "canonical_hash, identity_basis, identity_rule, provenance, source_peer_id, canonical_key, "
    "sighting_source_id FROM observations WHERE id = 'o1'",
    "gone": "DELETE FROM observations WHERE id = 'o1'",
    "another number": "UPDATE observations SET rowid = 900 WHERE id = 'o1'",
    "another key": "UPDATE observations SET id = 'o9' WHERE id = 'o1'",
    "declared otherwise": "ALTER TABLE observations ADD COLUMN later TEXT DEFAULT 'x'",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was archived, with its notes."""
    rows = [observation(f"o{n}", specificity_score=0.3) for n in range(5)]
    folder = tmp_path_factory.mktemp("template")
    database = folder / "neotoma.db"
    make_database(database, {"entities": [entity("e1")], "observations": rows})
    archive(database)
    return folder


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "copy")
    return tmp_path / "copy" / "neotoma.db"


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()


def without_notes(database: Path) -> ArchiveReport:
    shutil.rmtree(database.parent / "archive" / FOLDER)
    return archive(database)


@pytest.mark.parametrize("name", CHANGES)
def test_an_append_is_the_same_with_notes_and_without(
    name: str, database: Path, tmp_path: Path
) -> None:
    change(database, CHANGES[name])
    shutil.copytree(database.parent, tmp_path / "other")

    with_notes = archive(database)

    other = without_notes(tmp_path / "other" / database.name)
    assert with_notes.archived == other.archived
    place = database.parent / "archive"
    assert log_of(rebuild(place, tmp_path / "one.db")) == log_of(
        rebuild(tmp_path / "other" / "archive", tmp_path / "two.db")
    )
    assert archive(database).outcome == "unchanged"


def test_rows_that_did_not_change_are_not_hashed_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database, CHANGES["in its last bit"])

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("neotoma_core.archive.held_rows.hash_keys", refuse)

    assert of_table(archive(database), "observations").changed == 1


def test_a_row_that_came_back_as_it_was_is_archived_again(database: Path, tmp_path: Path) -> None:
    change(database, "UPDATE observations SET fields = '{}' WHERE id = 'o1'")
    archive(database)
    change(database, "UPDATE observations SET fields = '{\"a\":1}' WHERE id = 'o1'")
    archive(database)
    change(database, "UPDATE observations SET fields = '{}' WHERE id = 'o1'")

    assert of_table(archive(database), "observations").appended == 1
    built = rebuild(database.parent / "archive", tmp_path / "built.db")
    assert log_of(built)["observations"] == log_of(database)["observations"]


def test_notes_do_not_count_once_the_archive_has_another_state(
    database: Path, tmp_path: Path
) -> None:
    shutil.copytree(database.parent / "archive" / FOLDER, tmp_path / "notes")
    change(database, CHANGES["gone"])
    archive(database)
    shutil.rmtree(database.parent / "archive" / FOLDER)
    shutil.copytree(tmp_path / "notes", database.parent / "archive" / FOLDER)

    assert archive(database).outcome == "unchanged"


def test_no_value_is_in_a_note(database: Path) -> None:
    notes = database.parent / "archive" / FOLDER
    content = b"".join(path.read_bytes() for path in notes.iterdir())

    assert content
    assert b"o1" not in content


@pytest.mark.parametrize("harm", ["gone", "noise", "another version", "cut"])
def test_notes_that_are_of_no_use_are_passed_over(
    harm: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = database.parent / "archive" / FOLDER
    if harm == "another version":
        monkeypatch.setattr("polars.__version__", "0.1")
    for path in notes.iterdir():
        if harm == "gone":
            path.unlink()
        elif harm == "noise":
            path.write_bytes(b"noise")
        elif harm == "cut" and path.suffix == ".arrow":
            path.write_bytes(path.read_bytes()[:-40])
    assert archive(database).outcome == "unchanged"
    assert archive(database).outcome == "unchanged"
    assert open_archive(database.parent / "archive").commit_of("observations")
