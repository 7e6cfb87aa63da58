"""An archive that lost a part: every door says so, whatever it lost, and nothing is made of it."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from neotoma_core.archive.compact import CompactRequest, compact_archive, plan_only
from neotoma_core.archive.verify import verify_archive
from neotoma_core.archive_tables.as_backup import secure_archive
from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.record import COPY, RECORD, read_record
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import ArchiveDamaged, BackupDamaged
from neotoma_core.history.reading import entity_history
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.archiving import archive, log_of, rebuild
from tests.support.databases import entity, make_database, observation, source

DAY = timedelta(days=1)
TABLE = "observations"
LOG = f"{TABLE}/_delta_log"
NEWEST = f"{LOG}/{2:020}.json"
MIDDLE = f"{LOG}/{1:020}.json"


@dataclass(frozen=True)
class World:
    """An archive of three runs, ``place``; as it was ``before`` the last; that of ``another``."""

    place: Path
    before: Path
    another: Path
    database: Path

    def parts(self) -> list[Path]:
        return sorted((self.place / TABLE).glob("*.parquet"), key=lambda p: p.stat().st_mtime_ns)


def database_of(folder: Path, name: str, observations: int) -> Path:
    return make_database(
        folder / f"{name}-{observations}.db",
        {
            "entities": [entity("e1")],
            "observations": [observation(f"{name}{number}") for number in range(observations)],
            "sources": [source("s1")],
        },
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("archives")
    world = World(folder / "place", folder / "before", folder / "another", folder / "o-3.db")
    for run in (1, 2, 3):
        if run == 3:
            shutil.copytree(world.place, world.before)
        archive(database_of(folder, "o", run), world.place, now=NOW + run * DAY)
        archive(database_of(folder, "x", run), world.another, now=NOW + run * DAY)
    return world


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    """The same, with a place and a database of its own."""
    place = shutil.copytree(made.place, tmp_path / "place")
    database = Path(shutil.copy(made.database, tmp_path / "database.db"))
    return World(place, made.before, made.another, database)


def forget_record(place: Path) -> None:
    """Make the archive one of a midden that kept no record."""
    for name in (RECORD, COPY):
        (place / name).unlink()
    description = place / "archive.json"
    description.write_text(description.read_text().replace(',"recorded":true', ""))


def checkpoint(world: World) -> None:
    DeltaTable(str(world.place / TABLE)).create_checkpoint()


def remove(*names: str) -> Callable[[World], None]:
    def harm(world: World) -> None:
        for name in names:
            path = world.place / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return harm


def cut(name: str, to: int) -> Callable[[World], None]:
    def harm(world: World) -> None:
        path = world.place / name
        path.write_bytes(path.read_bytes()[:to])

    return harm


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


def add_what_a_desktop_leaves(world: World) -> None:
    for name in (".", TABLE, LOG):
        (world.place / name / ".DS_Store").touch()


HARMLESS: dict[str, Callable[[World], None]] = {
    "nothing": lambda _: None,
    "a checkpoint": checkpoint,
    "what a desktop leaves": add_what_a_desktop_leaves,
    "a record of the run before": lambda world: [
        shutil.copy(world.before / name, world.place) for name in (RECORD, COPY)
    ].clear(),
    "a compaction": lambda world: [
        compact_archive(CompactRequest(world.place), NOW, Silent())
    ].clear(),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_lost_nothing_is_whole(
    change: Callable[[World], None], world: World, tmp_path: Path
) -> None:
    change(world)
    assert verify_archive(world.place, Silent()).findings == ()
    assert log_of(rebuild(world.place, tmp_path / "b.db")) == log_of(world.database)
    assert archive(world.database, world.place).outcome == "unchanged"
    record, _ = read_record(world.place)
    assert record is not None
    assert record.tables[TABLE].version == DeltaTable(str(world.place / TABLE)).version()
    assert verify_archive(world.place, Silent()).findings == ()


STRANGE: dict[str, tuple[str, Callable[[World], object]]] = {
    "a copy of a file": (
        "archive-unnamed",
        lambda world: shutil.copy(world.parts()[0], world.place / TABLE / "part 2.parquet"),
    ),
    "a file of another archive": (
        "archive-unnamed",
        lambda world: shutil.copy(
            next((world.another / TABLE).glob("*.parquet")), world.place / TABLE
        ),
    ),
    "a copy of a table": (
        "archive-strange",
        lambda world: shutil.copytree(world.place / TABLE, world.place / f"{TABLE} 2"),
    ),
    "a copy of a log entry": (
        "archive-strange",
        lambda world: shutil.copy(world.place / NEWEST, world.place / LOG / f"{2:020} (1).json"),
    ),
}


@pytest.mark.parametrize(("kind", "add"), STRANGE.values(), ids=STRANGE)
def test_what_no_commit_names_is_named_and_stays(
    kind: str, add: Callable[[World], object], world: World, tmp_path: Path
) -> None:
    add(world)
    files = set(world.place.rglob("*"))
    verified = verify_archive(world.place, Silent())
    assert (verified.outcome, {f.kind for f in verified.findings}) == ("damaged", {kind})
    assert log_of(rebuild(world.place, tmp_path / "b.db")) == log_of(world.database)
    archive(world.database, world.place)
    assert files <= set(world.place.rglob("*"))


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


@pytest.mark.parametrize(
    "elsewhere",
    ["../sources/x.parquet", "%2e%2e%2fx", "/etc/passwd", "file:///etc/passwd", "s3://bucket/x"],
)
def test_no_file_outside_a_table_is_read_though_its_log_names_it(
    world: World, elsewhere: str
) -> None:
    entry = world.place / NEWEST
    (name,) = {part.name for part in world.parts()} & set(re.findall(r"[^\"]+", entry.read_text()))
    entry.write_text(entry.read_text().replace(name, elsewhere))
    found = verify_archive(world.place, Silent())
    assert "it names a file outside the table's folder" in str(found.findings)
    with pytest.raises(BackupDamaged, match="outside the table's folder"):
        secure_archive(world.place, world.database.parent / "b.db", Silent(), skip_unreadable=False)
