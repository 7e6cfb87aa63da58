"""What ``status`` says of a database whose rows an archive has."""

import json
import shlex
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.find.text import status_text
from neotoma_core.report.inventory import KeptArchive, StatusReport
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.vault.folder import open_vault, remember_place
from neotoma_core.workers import process as worker_process
from tests.support.archiving import archive
from tests.support.backing_up import Vault, fill, small_vault
from tests.support.databases import count, insert_all, observation
from tests.support.faulty_worker import CODE
from tests.support.panics import SECRET

SILENT = Silent()
ROWS = 8


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    """A database whose vault has a backup of its first row, and nothing else yet."""
    world = small_vault(tmp_path / "with blanks", 1)
    world.back_up(drill=False)
    fill(world.target, ROWS)
    return world


def status(world: Vault) -> StatusReport:
    where = SearchRequest((world.target.parent,), around=True)
    return check_status(Whereabouts(world.target, world.vault), where, world.now, SILENT)


def find_kept(report: StatusReport) -> KeptArchive:
    (found,) = report.kept_archives
    return found


@pytest.mark.parametrize("left", [1, 0])
def test_rows_that_only_the_archive_of_the_vault_has_make_it_wiped(world: Vault, left: int) -> None:
    archive(world.target, world.vault / "archive")
    fill(world.target, left)
    report = status(world)
    assert (report.drop.verdict, report.drop.lacks) == ("wiped", ROWS - left)
    assert report.drop.best == str(world.vault / "archive")
    words = shlex.split(str(report.next))
    place = str(world.vault / "archive")
    assert words[:2] == ["midden", "recover"]
    assert words[words.index("--backup") + 1] == place
    assert words[words.index("--vault") + 1] == str(world.vault)


def test_its_next_command_brings_them_back(
    world: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(world.target, world.vault / "archive")
    fill(world.target, 1)
    app([*shlex.split(str(status(world).next))[1:], "--yes", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["outcome"] == "published"
    assert count(world.target, "observations") == ROWS
    assert status(world).drop.verdict == "whole"


def test_a_database_that_is_gone_is_judged_by_the_archive_too(world: Vault) -> None:
    archive(world.target, world.vault / "archive")
    world.target.unlink()
    report = status(world)
    assert (report.drop.verdict, report.drop.lacks) == ("wiped", ROWS)
    assert str(world.vault / "archive") in str(report.next)


def test_a_ruin_is_recovered_from_the_archive_where_only_that_has_its_rows(
    world: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(world.target, world.vault / "archive")
    world.target.write_bytes(b"SQLite format 3\0")
    report = status(world)
    assert report.drop.verdict == "ruined"
    app([*shlex.split(str(report.next))[1:], "--yes", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["outcome"] == "published"
    assert count(world.target, "observations") == ROWS


def test_an_archive_is_enough_where_there_was_never_a_backup(tmp_path: Path) -> None:
    world = small_vault(tmp_path, ROWS)
    open_vault(world.vault, world.target)
    archive(world.target, world.vault / "archive")
    world.target.unlink()
    report = status(world)
    assert (report.drop.verdict, report.drop.lacks) == ("wiped", ROWS)
    assert str(world.vault / "archive") in str(report.next)


def test_one_that_the_vault_only_knows_of_counts_and_others_by_what_is_in_them(
    world: Vault,
) -> None:
    elsewhere = world.folder / "elsewhere" / "archive"
    archive(world.target, elsewhere)
    strange = small_vault(world.folder / "strange", 1)
    fill(strange.target, 30, first=500)
    archive(strange.target, world.target.parent / "of another")
    remember_place(world.vault, elsewhere)
    fill(world.target, 1)
    report = status(world)
    assert (report.drop.verdict, report.drop.lacks) == ("wiped", ROWS - 1)
    assert report.drop.best == str(elsewhere)


def test_it_is_said_what_an_archive_holds_beside_the_backups(world: Vault) -> None:
    archive(world.target, world.vault / "archive", now=world.now)
    late = observation("late", "e0001", observed_at="2026-03-05T00:00:00.000Z")
    insert_all(world.target, {"observations": [late]})
    archive(world.target, world.vault / "archive", now=world.now + timedelta(minutes=1))
    report = status(world)
    assert (report.drop.verdict, report.next) == ("whole", None)
    found = find_kept(report)
    assert (found.observations, found.rows["entities"]) == (ROWS + 1, ROWS)
    assert found.last == "2026-03-05T00:00:00.000Z"
    appended = world.now + timedelta(minutes=1)
    assert found.appended == appended.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert found.problem is None
    said = status_text(report, world.now)
    assert f"{found.path}: {ROWS + 1:,} observations" in said
    assert "backup" in said


def test_copies_that_have_the_rows_are_searched_for_as_before(world: Vault) -> None:
    archive(world.target, world.vault / "archive")
    world.back_up(drill=False)
    fill(world.target, 1)
    report = status(world)
    assert (report.drop.verdict, report.drop.lacks) == ("wiped", ROWS - 1)
    assert "--backup" not in str(report.next)
    assert report.copies == 1


def lose_a_table(place: Path) -> None:
    shutil.rmtree(place / "observations")


def lose_the_last_commit(place: Path) -> None:
    max((place / "observations" / "_delta_log").glob("*.json")).unlink()


def lose_a_page(place: Path) -> None:
    part = next((place / "entities").glob("*.parquet"))
    content = part.read_bytes()
    part.write_bytes(content[:40] + bytes(100) + content[140:])


def lose_a_file(place: Path) -> None:
    next((place / "observations").glob("*.parquet")).unlink()


def lose_its_description(place: Path) -> None:
    for name in ("archive.json", "committed.json", "committed-copy.json"):
        (place / name).write_text("{")


@pytest.mark.parametrize(
    "lose", [lose_a_table, lose_the_last_commit, lose_a_page, lose_a_file, lose_its_description]
)
def test_a_damaged_archive_is_said_to_be_and_counts_for_nothing(
    world: Vault, lose: Callable[[Path], None]
) -> None:
    archive(world.target, world.vault / "archive")
    lose(world.vault / "archive")
    fill(world.target, 1)
    report = status(world)
    assert report.drop.verdict == "whole"
    found = find_kept(report)
    assert found.problem
    assert found.observations is None
    assert "verify" in found.command
    said = status_text(report, world.now)
    assert f"{found.path}: not counted: {found.problem}" in said
    assert found.command in said


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("segfault", "reading it crashed"),
        ("nonsense", "reading it crashed"),
        ("greedy", "reading it needs more memory than 4.0 GB"),
        ("quoted", "it cannot be read: PanicException"),
    ],
)
def test_an_archive_that_ends_what_reads_it_costs_nothing_but_itself(
    fault: str, problem: str, world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(world.target, world.vault / "archive")
    bad = world.target.parent / f"kept {fault}"
    shutil.copytree(world.vault / "archive", bad)
    fill(world.target, 1)
    monkeypatch.setattr(worker_process, "_CODE", CODE)
    report = status(world)
    assert (report.drop.verdict, report.drop.lacks) == ("wiped", ROWS - 1)
    problems = {Path(found.path).name: found.problem for found in report.kept_archives}
    assert problems["archive"] is None
    assert str(problems[bad.name]).startswith(problem)
    assert SECRET not in status_text(report, world.now)


def test_what_was_erased_counts_for_nothing_in_an_archive(world: Vault) -> None:
    archive(world.target, world.vault / "archive")
    request = EraseRequest(world.target, world.vault, entities=("e0003",))
    with erase_run(request, world.now) as run:
        erase(run, lambda _: True, SILENT)
    report = status(world)
    assert report.drop.verdict == "whole"
    assert find_kept(report).observations == ROWS - 1
