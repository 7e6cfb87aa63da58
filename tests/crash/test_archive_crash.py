"""Killed at any step, an archive is readable, and the next run adds what is missing, once."""

import subprocess
from pathlib import Path

import pytest

from neotoma_core.archive_tables import rewriting as archive_compaction
from neotoma_core.archive_tables import writing as archive_writing
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from tests.support.archiving import archive, log_of, rebuild
from tests.support.databases import entity, make_database, observation, source
from tests.support.forks.asking import python

KILLED = 77
ARCHIVE = """
import os, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from neotoma_core.archive.append import ArchiveRequest, append_database
from neotoma_core.archive.compact import CompactRequest, compact_archive
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy
from neotoma_core.report.progress import Silent
from neotoma_core.files.atomic import observe

database, vault, place, step, times, what = sys.argv[1:]
left = int(times)

def crash(reached):
    global left
    if reached == step:
        left -= 1
        if left == 0:
            os._exit(77)

now = datetime(2026, 3, 12, tzinfo=UTC)
with observe(crash):
    if what == "compact":
        compact_archive(CompactRequest(Path(place)), now, Silent())
    else:
        with private_copy(Whereabouts(Path(database), Path(vault)), now) as copy:
            append_database(copy, ArchiveRequest(Path(place)), Silent())
"""


def crash_at(step: str, times: int, database: Path, place: Path, what: str) -> int:
    words = (str(database), str(database.parent / "vault"), str(place), step, str(times), what)
    return subprocess.run([python(), "-c", ARCHIVE, *words], check=False).returncode


def make(folder: Path) -> Path:
    return make_database(
        folder / "neotoma.db",
        {
            "entities": [entity("e1")],
            "observations": [observation("o1"), observation("o2")],
            "sources": [source("s1")],
        },
    )


@pytest.mark.parametrize("times", [1, 3])
def test_a_killed_append_is_completed_without_duplicates(times: int, tmp_path: Path) -> None:
    database, place = make(tmp_path), tmp_path / "archive"
    (step,) = archive_writing.STEPS
    assert crash_at(step, times, database, place, "append") == KILLED
    archive(database, place)
    opened = open_archive(place)
    counts = {n: read_table(opened, n).rows.height for n in ("entities", "observations", "sources")}
    assert counts == {"entities": 1, "observations": 2, "sources": 1}
    assert archive(database, place).outcome == "unchanged"


@pytest.mark.parametrize("step", archive_compaction.STEPS)
def test_a_killed_compaction_leaves_the_rows_as_they_were(step: str, tmp_path: Path) -> None:
    database, place = make(tmp_path), tmp_path / "archive"
    archive(database, place)
    more = make_database(
        tmp_path / "more.db",
        {
            "entities": [entity("e1")],
            "observations": [observation("o1"), observation("o2"), observation("o3")],
            "sources": [source("s1")],
        },
    )
    archive(more, place)
    assert crash_at(step, 1, more, place, "compact") == KILLED
    assert log_of(rebuild(place, tmp_path / "back.db")) == log_of(more)
    assert archive(more, place).outcome == "unchanged"
