"""An archive that lost a part: every door says so, whatever it lost, and nothing is made of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.archive.compact import CompactRequest, compact_archive, plan_only
from neotoma_core.archive_tables.as_backup import secure_archive
from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.record import COPY, RECORD
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.errors import ArchiveDamaged, BackupDamaged
from neotoma_core.history.reading import entity_history
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.archiving import archive, rebuild
from tests.support.losing import LOG, NEWEST, TABLE, World, checkpoint, cut, remove

MIDDLE = f"{LOG}/{1:020}.json"


def replace_by(which: str, name: str) -> Callable[[World], None]:
    def harm(world: World) -> None:
        shutil.rmtree(world.place / name)
        shutil.copytree(getattr(world, which) / name, world.place / name)

    return harm


def lose_behind_checkpoint(world: World) -> None:
    checkpoint(world)
    (world.place / NEWEST).unlink()


def lose_checkpoint(world: World) -> None:
    checkpoint(world)
    for path in (world.place / LOG).glob("*.checkpoint.parquet"):
        path.unlink()


def cut_after_a_line(world: World) -> None:
    path = world.place / NEWEST
    path.write_text(path.read_text().splitlines()[0] + "\n")


def add_table_of_another(world: World) -> None:
    shutil.copytree(world.another / "sources", world.place / "entity_merges")


def put_older_file_in_place(world: World) -> None:
    shutil.copy(world.parts()[0], world.parts()[-1])


LOSSES: dict[str, Callable[[World], None]] = {
    "a table": remove(TABLE),
    "a table that is small": remove("sources"),
    "the newest commit": remove(NEWEST),
    "two commits": remove(NEWEST, MIDDLE),
    "a commit in between": remove(MIDDLE),
    "the newest commit, emptied": cut(NEWEST, 0),
    "the newest commit, cut short": cut(NEWEST, 150),
    "the newest commit, cut after a line": cut_after_a_line,
    "a commit in between, emptied": cut(MIDDLE, 0),
    "the log": remove(LOG),
    "the log, by an older one": replace_by("before", LOG),
    "the table, by an older one": replace_by("before", TABLE),
    "the table, by another archive's": replace_by("another", TABLE),
    "a table of another archive more": add_table_of_another,
    "a file, by an older one": put_older_file_in_place,
    "a checkpoint": lose_checkpoint,
    "the newest commit, which a checkpoint has": lose_behind_checkpoint,
    "the record": remove(RECORD, COPY),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_what_an_archive_lost_is_said_at_every_door(
    lose: Callable[[World], None], world: World, tmp_path: Path
) -> None:
    lose(world)
    before = {p: p.read_bytes() for p in world.place.rglob("*") if p.is_file()}
    assert verify_archive(world.place, Silent()).outcome == "damaged"
    with pytest.raises(ArchiveDamaged):
        rebuild(world.place, tmp_path / "back.db")
    with pytest.raises(BackupDamaged):
        secure_archive(world.place, tmp_path / "b.db", Silent(), skip_unreadable=False)
    with pytest.raises(ArchiveDamaged):
        archive(world.database, world.place)
    with pytest.raises(ArchiveDamaged):
        plan_only(CompactRequest(world.place), Silent())
    with pytest.raises(ArchiveDamaged):
        compact_archive(CompactRequest(world.place), NOW, Silent())
    after = {p: p.read_bytes() for p in world.place.rglob("*") if p.is_file()}
    assert after == before


def test_what_is_left_is_read_if_the_user_says_so(world: World, tmp_path: Path) -> None:
    remove(NEWEST)(world)
    built = build_database(
        open_archive(world.place), tmp_path / "b.db", Selection(damaged=True), Silent()
    )
    assert built.rows[TABLE] == 2
    assert [f.kind for f in built.findings()] == ["archive-damaged"]
    history = entity_history(world.place, "e1")
    assert (history.observations, len(history.findings)) == (2, 1)


def test_rows_of_another_archive_are_never_read(world: World, tmp_path: Path) -> None:
    replace_by("another", TABLE)(world)
    built = build_database(
        open_archive(world.place), tmp_path / "b.db", Selection(damaged=True), Silent()
    )
    assert built.rows[TABLE] == 0
    with pytest.raises(ArchiveDamaged, match="another archive"):
        entity_history(world.place, "e1")


def test_what_is_put_back_is_whole_again(world: World) -> None:
    taken = (world.place / NEWEST).read_bytes()
    remove(NEWEST)(world)
    with pytest.raises(ArchiveDamaged, match=r"commits of it are missing: .* 1, and commit 2"):
        archive(world.database, world.place)
    (world.place / NEWEST).write_bytes(taken)
    assert verify_archive(world.place, Silent()).findings == ()
    assert archive(world.database, world.place).outcome == "unchanged"
