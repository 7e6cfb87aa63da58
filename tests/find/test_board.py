"""Every protected database on one page: those that need somebody first, and why."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.find.board.board import find_protected, look_at_all, write_board
from neotoma_core.find.board.page import board_page
from neotoma_core.find.board.report import BoardReport
from neotoma_core.find.board.text import board_text
from neotoma_core.pages.timeline import Point, timeline
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from tests.conftest import NOW
from tests.support.backing_up import Vault, fill, small_vault


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Vault, Vault]:
    """A database that was wiped after two backups, and one that is well."""
    wiped = small_vault(tmp_path_factory.mktemp("wiped"), 30)
    wiped.back_up(drill=False)
    fill(wiped.target, 40)
    wiped.back_up()
    fill(wiped.target, 1)
    well = small_vault(tmp_path_factory.mktemp("well"), 5)
    well.back_up()
    return wiped, well


@pytest.fixture(scope="module")
def board(worlds: tuple[Vault, Vault], tmp_path_factory: pytest.TempPathFactory) -> BoardReport:
    asked = [Whereabouts(world.target, world.vault) for world in reversed(worlds)]
    gone = tmp_path_factory.mktemp("gone") / "data" / "gone.db"
    asked.append(Whereabouts(gone, gone.parent.with_name("vault")))
    return look_at_all(asked, NOW + timedelta(hours=3), Silent())


def test_what_needs_somebody_comes_first_with_what_to_run(
    board: BoardReport, worlds: tuple[Vault, Vault]
) -> None:
    page = board_page(board, NOW + timedelta(hours=3)).decode()
    assert "2 of 3 databases need you." in page
    places = [page.index(str(target)) for target in (worlds[0].target, worlds[1].target)]
    assert places == sorted(places)
    assert "looks wiped" in page
    assert f"midden recover --target {worlds[0].target}" in page
    assert "its folder does not exist" in page  # of the third
    assert "late by" not in page


def test_backups_are_marks_by_how_good_they_are_and_drills_are_too(board: BoardReport) -> None:
    by_target = {Path(entry.target).parts[-3]: entry for entry in board.databases}
    (wiped,) = (entry for name, entry in by_target.items() if name.startswith("wiped"))
    assert [(point.rows, point.mark) for point in wiped.points] == [(30, "warn"), (40, "good")]
    figure = timeline(wiped.points, NOW + timedelta(hours=3), 1)
    assert figure is not None
    markup = figure.markup()
    assert re.findall(r'<circle cx="[\d.]+%" cy="([\d.]+)" r="5" class="f-(\w+)"', markup) == [
        ("47.5", "warn"),
        ("24", "good"),
    ]
    assert "from 30 to 40, and 1 in the database now" in markup
    assert markup.count("<title>drill ") == 1


def test_many_years_of_backups_have_a_place_each() -> None:
    points = [Point(NOW - timedelta(days=40 * n), n, "good", NOW) for n in range(100, 0, -1)]
    figure = timeline(points, NOW, None)
    assert figure is not None
    places = [
        float(at) for at in re.findall(r'<circle cx="([\d.]+)%"[^%>]* r="5"', figure.markup())
    ]
    assert places == sorted(places)
    assert all(0 < at < 100 for at in places)
    assert timeline([], NOW, 3) is None


def test_the_page_is_its_owners_alone_and_the_report_names_it(
    board: BoardReport, tmp_path: Path
) -> None:
    report = write_board(board, tmp_path / "board.html", NOW + timedelta(hours=3))
    assert (tmp_path / "board.html").stat().st_mode & 0o777 == 0o600
    said = json.loads(report.to_json())
    assert said["page"] == str(tmp_path / "board.html")
    assert len(said["databases"]) == 3
    lines = board_text(report, NOW + timedelta(hours=3)).splitlines()
    assert len(lines) == 4
    assert "looks wiped" in "".join(lines[:2])
    assert report.is_alarming


def test_what_is_configured_and_what_vaults_protect_is_found(
    worlds: tuple[Vault, Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDDEN_CONFIG", str(tmp_path / "midden.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("MIDDEN_VAULT", raising=False)
    wiped, well = worlds
    (tmp_path / "midden.toml").write_text(
        f'[databases.main]\npath = "{well.target}"\nvault = "{well.vault}"\n'
    )
    vaults = tmp_path / "data" / "midden"
    vaults.mkdir(parents=True)
    (vaults / "neotoma").symlink_to(wiped.vault)
    (vaults / "broken").mkdir()
    (vaults / "broken" / "vault.json").write_text("{")
    found = find_protected([well.target])
    assert [(one.target, one.vault.resolve()) for one in found] == [
        (well.target, well.vault),
        (wiped.target, wiped.vault),
    ]
