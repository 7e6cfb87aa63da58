"""What the ledger names is found where only archives, exports, quarantine or reports hold it."""

import shlex
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.archive.append import ArchiveRequest
from neotoma_core.archive.steps import archive_target
from neotoma_core.erasure.report import ErasureReport
from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.files.frames import write_parquet
from neotoma_core.neotoma.json import stringify
from neotoma_core.report.progress import Silent
from neotoma_core.vault.folder import describe, write_json
from tests.conftest import NOW, recover_into
from tests.support.databases import loosen
from tests.support.erasing import World, build
from tests.support.planted import ASKED, ENTITY, OBSERVATION
from tests.support.rebuilding import rebuild

SILENT = Silent()
LATER = NOW + timedelta(days=3)


def in_the_archive_of_the_vault(world: World) -> Path:
    archive_target(world.target, world.vault, ArchiveRequest(world.vault / "archive"), NOW, SILENT)
    return world.vault / "archive"


def in_an_archive_that_lost_a_table(world: World) -> Path:
    place = in_the_archive_of_the_vault(world)
    shutil.rmtree(place / "sources")
    next((place / "entities").glob("*.parquet")).unlink()
    return place


def in_an_archive_elsewhere(world: World) -> Path:
    place = world.folder / "an archive [1]"
    archive_target(world.target, world.vault, ArchiveRequest(place), NOW, SILENT)
    return place


def in_an_export_as(form: str) -> Callable[[World], Path]:
    def export(world: World) -> Path:
        place = world.folder / f"export {form}"
        request = ExportRequest(place, world.vault, target=world.target, format=form)  # type: ignore[arg-type]  # a test's own
        export_tables(request, NOW, SILENT)
        return place

    return export


def merge_with(world: World, *statements: str) -> str:
    """Recover from another copy, in which something was done, before the erasure."""
    for table in ("observations", "raw_fragments"):
        loosen(world.backup, table)
    world.execute(world.backup, *statements)
    return recover_into(world.vault)(world.target, world.backup, now=NOW).run


def in_the_quarantine(world: World) -> Path:
    broken = "UPDATE observations SET schema_version = NULL WHERE id LIKE 'obs-gone%'"
    return world.vault / "quarantine" / merge_with(world, broken)


def in_conflicts(world: World) -> Path:
    changed = "UPDATE observations SET fields = '{}', id = id WHERE id LIKE 'obs-gone-%'"
    report = world.vault / "reports" / merge_with(world, changed)
    (report / "report.json").unlink()
    (report / "conflicts.jsonl").unlink()
    return report


def in_conflicts_as_json(world: World) -> Path:
    report = in_conflicts(world)
    conflicts = pl.read_parquet(report / "conflicts.parquet").to_dicts()
    lines = "".join(f"{stringify(conflict)}\n" for conflict in conflicts)
    (report / "conflicts.jsonl").write_text(lines)
    (report / "conflicts.parquet").unlink()
    return report


def in_what_was_sent_again(world: World) -> Path:
    report = world.vault / "reports" / "2026-03-01T00-00-00Z"
    row = {"table": ["entities"], "key": [ENTITY], "entity_type": ["contact"]}
    write_parquet(pl.DataFrame(row), report / "reingested.parquet")
    return report


def in_drift(world: World) -> Path:
    world.execute(world.target, "UPDATE entity_snapshots SET observation_count = 99")
    run = rebuild(world.target).run
    report = world.vault / "reports" / run
    (report / "report.json").unlink()
    return report


def in_words_of_a_report(world: World) -> Path:
    report = world.vault / "reports" / "2026-03-01T00-00-00Z"
    write_json(report / "report.json", {"findings": [f"{ENTITY}: merged; see '{OBSERVATION}'."]})
    return report


PLACES: dict[str, Callable[[World], Path]] = {
    "archive": in_the_archive_of_the_vault,
    "damaged archive": in_an_archive_that_lost_a_table,
    "archive elsewhere": in_an_archive_elsewhere,
    "quarantine": in_the_quarantine,
    "conflicts": in_conflicts,
    "conflicts as JSON": in_conflicts_as_json,
    "sent again": in_what_was_sent_again,
    "drift": in_drift,
    "words": in_words_of_a_report,
    **{form: in_an_export_as(form) for form in ("parquet", "csv", "arrow")},
}


def folders_of(report: ErasureReport) -> set[Path]:
    return {Path(held.folder) for held in report.holding}


@pytest.mark.parametrize("where", PLACES)
def test_again_lists_the_one_place_that_holds_it_still_and_what_removes_it(
    where: str, tmp_path: Path
) -> None:
    world = build(tmp_path)
    place = PLACES[where](world)
    erased = world.erase(now=LATER, **ASKED["all"])
    assert place in folders_of(erased)
    for other in folders_of(erased) - {place}:
        shutil.rmtree(other) if other.is_dir() else other.unlink()
    again = world.erase(again=True, now=LATER + timedelta(days=1))
    assert again.outcome == "unchanged"
    (held,) = again.holding
    assert Path(held.folder) == place
    subprocess.run(shlex.split(held.remove), check=True)
    assert not place.exists()
    after = world.erase(again=True, now=LATER + timedelta(days=2))
    assert after.holding == ()


def test_a_folder_that_is_no_export_is_not_to_be_removed_whoever_lists_it(tmp_path: Path) -> None:
    world = build(tmp_path / "world")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter.txt").write_text(ENTITY)
    describe(world.vault, {"exports_and_archives": [str(theirs)]})
    assert theirs not in folders_of(world.erase(now=LATER, **ASKED["entity"]))


def test_places_that_hold_nothing_of_it_are_not_listed(tmp_path: Path) -> None:
    world = build(tmp_path)
    world.erase(now=LATER, **ASKED["entity"])
    for held in folders_of(world.erase(again=True, now=LATER)):
        shutil.rmtree(held)
    archive_target(
        world.target, world.vault, ArchiveRequest(world.vault / "archive"), LATER, SILENT
    )
    place = in_an_export_as("parquet")(world)
    (world.vault / "reports" / "2026-03-01T00-00-00Z").mkdir()
    (place / "damaged.parquet").write_bytes(b"")
    again = world.erase(again=True, now=LATER + timedelta(days=1))
    assert folders_of(again) == set()
