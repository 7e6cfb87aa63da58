"""Files of an archive's tables: when each was added, and what of those no commit names may go."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.archive_tables.reading import table_files
from neotoma_core.archive_tables.record import COPY, RECORD
from neotoma_core.archive_tables.rewriting import write_pins
from neotoma_core.archive_tables.tables import Archive, open_archive
from neotoma_core.archive_tables.unnamed import leftovers, remove_leftovers
from neotoma_core.archive_tables.writing import version_of
from neotoma_core.errors import ArchiveError
from tests.conftest import NOW
from tests.support.archiving import archive
from tests.support.databases import insert_all, make_database, observation

TABLE = "observations"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two runs. Never written to."""
    place = tmp_path_factory.mktemp("made") / "archive"
    database = make_database(place.with_name("t.db"), {TABLE: [observation("o1")]})
    archive(database)
    insert_all(database, {TABLE: [observation("o2")]})
    archive(database, now=NOW + timedelta(days=1))
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "archive"))


def named_and_stray(place: Path) -> tuple[Archive, Path]:
    """Return the archive with a copy of one of its files under a name that no commit has."""
    opened = open_archive(place)
    stray = place / TABLE / "part-00000000-0000-0000-0000-000000000000.zstd.parquet"
    shutil.copy(table_files(opened, TABLE)[0].path, stray)
    return opened, stray


def test_a_file_was_added_when_the_log_says(made: Path) -> None:
    opened = open_archive(made)
    lines = [
        json.loads(line)
        for entry in (made / TABLE / "_delta_log").glob("*.json")
        for line in entry.read_text().splitlines()
    ]
    said = {a["path"]: a["modificationTime"] for line in lines if (a := line.get("add"))}
    assert {f.path.name: f.added_ms for f in table_files(opened, TABLE)} == said
    assert (len(said), version_of(opened, TABLE)) == (2, 1)


@pytest.mark.parametrize("name", [RECORD, COPY])
def test_a_record_that_a_newer_midden_wrote_is_not_taken_for_a_damaged_one(
    name: str, place: Path
) -> None:
    written = (place / name).read_text()
    (place / name).write_text(written.replace('"format":1', '"format":2'))
    with pytest.raises(ArchiveError, match="newer midden"):
        open_archive(place)


def test_what_killed_runs_left_goes(place: Path) -> None:
    opened, stray = named_and_stray(place)
    temporary = place / TABLE / "_delta_log" / "_commit_0.json.tmp"
    temporary.touch()
    assert leftovers(opened) == (stray, temporary)
    assert remove_leftovers(opened, opened.record) == ()
    assert not stray.exists()
    assert not temporary.exists()
    assert len(table_files(opened, TABLE)) == 2


def test_where_a_pinned_version_cannot_be_opened_every_file_may_be_one_of_its(place: Path) -> None:
    opened, stray = named_and_stray(place)
    write_pins(opened, {"other": {"sources": 0}, "kept": {TABLE: 7}})
    assert leftovers(opened) == ()
    assert remove_leftovers(opened, opened.record) == ()
    assert stray.exists()
