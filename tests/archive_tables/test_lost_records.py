"""The record of what an archive committed: lost, edited, or never there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.archive_tables.record import COPY, RECORD
from neotoma_core.archive_tables.tables import DESCRIPTION
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.errors import ArchiveDamaged
from neotoma_core.report.progress import Silent
from tests.support.archiving import archive, log_of, rebuild
from tests.support.losing import NEWEST, TABLE, World, cut, forget_record, remove


@pytest.mark.parametrize("harm", [remove(RECORD), cut(RECORD, 60), cut(RECORD, 0)])
def test_of_a_record_that_is_harmed_its_copy_counts_and_the_next_run_mends_it(
    harm: Callable[[World], None], world: World
) -> None:
    whole = (world.place / RECORD).read_bytes()
    harm(world)
    assert {f.kind for f in verify_archive(world.place, Silent()).findings} == {"archive-harmed"}
    archive(world.database, world.place)
    assert (world.place / RECORD).read_bytes() == whole
    remove(NEWEST)(world)
    harm(world)
    with pytest.raises(ArchiveDamaged, match="commits of it are missing"):
        archive(world.database, world.place)


def test_an_archive_that_lost_all_its_documents_is_called_so(world: World) -> None:
    for name in (DESCRIPTION, RECORD, COPY):
        (world.place / name).unlink()
    for use in (
        lambda: verify_archive(world.place, Silent()),
        lambda: archive(world.database, world.place),
    ):
        with pytest.raises(ArchiveDamaged, match="only its tables are left"):
            use()


def test_of_three_documents_the_last_one_is_enough(world: World) -> None:
    for name in (DESCRIPTION, RECORD):
        (world.place / name).unlink()
    assert archive(world.database, world.place).outcome == "unchanged"
    assert (world.place / RECORD).is_file()
    assert verify_archive(world.place, Silent()).findings == ()


@pytest.mark.parametrize("state", ['"rows":3', '"version":2', '"archive":"'])
def test_a_record_that_was_edited_is_told(state: str, world: World) -> None:
    (world.place / COPY).unlink()
    record = world.place / RECORD
    text = record.read_text()
    record.write_text(text.replace(state, state + "0", 1))
    with pytest.raises(ArchiveDamaged, match="not as it was written"):
        archive(world.database, world.place)


def test_an_archive_without_a_record_works_says_so_and_gains_it(
    world: World, tmp_path: Path
) -> None:
    forget_record(world.place)
    verified = verify_archive(world.place, Silent())
    assert [f.kind for f in verified.findings] == ["archive-unrecorded"]
    assert verified.outcome == "verified"
    assert log_of(rebuild(world.place, tmp_path / "b.db")) == log_of(world.database)
    assert archive(world.database, world.place).outcome == "unchanged"
    assert verify_archive(world.place, Silent()).findings == ()
    remove(TABLE)(world)
    with pytest.raises(ArchiveDamaged, match="the table is gone; 3 rows"):
        archive(world.database, world.place)


def test_without_a_record_files_that_no_commit_names_are_the_sign_of_a_loss(
    world: World, tmp_path: Path
) -> None:
    forget_record(world.place)
    remove(NEWEST)(world)
    assert verify_archive(world.place, Silent()).outcome == "damaged"
    with pytest.raises(ArchiveDamaged, match="rows that the table lacks"):
        rebuild(world.place, tmp_path / "b.db")
    unnamed = world.parts()[-1]
    report = archive(world.database, world.place)
    assert (report.appended, {f.subject for f in report.findings}) == (1, {str(unnamed)})
    assert unnamed.exists()
