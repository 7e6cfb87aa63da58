"""Archives and backups of a vault in what ``find`` and ``status`` say, and what uses them."""

import json
import shlex
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status, find_copies
from neotoma_core.find.text import status_text
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from tests.support.archiving import archive
from tests.support.backing_up import Vault, fill, small_vault
from tests.support.databases import count

SILENT = Silent()


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    """A database with an archive and no backup, and then wiped."""
    world = small_vault(tmp_path / "with blanks", 8)
    archive(world.target, world.folder / "kept" / "archive")
    fill(world.target, 1)
    return world


@pytest.mark.parametrize("lost", ["archive.json", "committed.json", "nothing"])
def test_find_names_an_archive_and_the_command_that_uses_it(world: Vault, lost: str) -> None:
    place = world.folder / "kept" / "archive"
    (place / lost).unlink(missing_ok=True)
    report = find_copies(SearchRequest((world.folder / "kept",)), None, SILENT)
    (found,) = report.kept_archives
    assert found.path == str(place)
    words = shlex.split(found.command)
    assert words == ["midden", "recover", "--backup", str(place), "--target", "DB"]


def test_a_folder_that_is_called_so_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "archive" / "archive.json").mkdir(parents=True)
    report = find_copies(SearchRequest((tmp_path,)), None, SILENT)
    assert report.kept_archives == ()


def test_the_status_of_a_wiped_database_names_the_archive_and_its_command_recovers(
    world: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    where = SearchRequest((world.folder,))
    report = check_status(Whereabouts(world.target, world.vault), where, world.now, SILENT)
    (found,) = report.kept_archives
    assert found.command in status_text(report, world.now)
    app([*shlex.split(found.command)[1:], "--yes", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["outcome"] == "published"
    assert count(world.target, "observations") == 8


def test_the_archive_of_the_vault_is_named_wherever_was_searched(tmp_path: Path) -> None:
    world = small_vault(tmp_path, 2)
    world.back_up(drill=False)
    archive(world.target, world.vault / "archive")
    where = SearchRequest((world.target.parent,))
    report = check_status(Whereabouts(world.target, world.vault), where, world.now, SILENT)
    places = [found.path for found in report.kept_archives]
    assert str(world.vault / "archive") in places


def test_a_backup_of_a_vault_is_called_by_its_name(tmp_path: Path) -> None:
    world = small_vault(tmp_path, 2)
    taken = world.back_up(drill=False).backup
    report = find_copies(SearchRequest((tmp_path,)), None, SILENT)
    names = {row.backup for row in report.copies}
    assert names == {None, taken}
    fill(world.target, 1)
    world.restore(next(name for name in names if name))
    assert count(world.target, "observations") == 2
