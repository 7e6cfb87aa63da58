"""Files in an archive that no commit names: named, never read, and left where they are."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from neotoma_core.archive.compact import CompactRequest, compact_archive
from neotoma_core.archive_tables.as_backup import secure_archive
from neotoma_core.archive_tables.record import COPY, RECORD, read_record
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.errors import BackupDamaged
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.archiving import archive, log_of, rebuild
from tests.support.losing import LOG, NEWEST, TABLE, World, checkpoint


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
