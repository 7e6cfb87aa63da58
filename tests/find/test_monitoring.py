"""The line for a monitor: OK, WARNING, CRITICAL or UNKNOWN, ages in hours, and its exit code."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.errors import UsageError
from neotoma_core.find.monitoring import check_line
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.report.inventory import StatusReport
from neotoma_core.report.progress import Silent
from neotoma_core.report.protection import ProtectionSummary, RawFilesGone
from neotoma_core.report.remotes import RemoteStanding, RemoteStandings
from neotoma_core.runs.begin import Whereabouts
from tests.conftest import NOW
from tests.support.backing_up import Vault, small_vault


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A database with one verified backup."""
    made = small_vault(tmp_path_factory.mktemp("world"), 1)
    made.back_up()
    return made


@pytest.fixture(scope="module")
def well(world: Vault) -> StatusReport:
    """Its status, two hours later."""
    asked = Whereabouts(world.target, world.vault)
    where = SearchRequest((world.target.parent,))
    return check_status(asked, where, world.now, Silent())


def protection(report: StatusReport) -> ProtectionSummary:
    assert report.protection is not None
    return report.protection


def remote(lag: float | None, failing: str = "") -> RemoteStandings:
    return RemoteStandings((RemoteStanding("nas", "file:///n", NOW, NOW, lag, failing, (), ""),))


Change = Callable[[StatusReport], StatusReport]
FAULTS: dict[str, tuple[Change, int]] = {
    "lacks 3 observations": (
        lambda r: replace(r, drop=replace(r.drop, verdict="lacking", lacks=3)),
        1,
    ),
    "looks wiped": (lambda r: replace(r, drop=replace(r.drop, verdict="wiped")), 2),
    "it cannot be used": (lambda r: replace(r, drop=replace(r.drop, verdict="ruined")), 2),
    "keeps it locked": (lambda r: replace(r, drop=replace(r.drop, verdict="unread")), 3),
    "its vault is gone": (lambda r: replace(r, vault_absent="gone"), 2),
    "no backup was ever taken": (lambda r: replace(r, protection=None), 2),
    "overdue by 3.0 h": (
        lambda r: replace(r, protection=replace(protection(r), overdue_seconds=10_800)),
        2,
    ),
    "loss: rows": (
        lambda r: replace(r, protection=replace(protection(r), frozen=True, alarms=("rows",))),
        2,
    ),
    "cannot be read": (
        lambda r: replace(r, protection=replace(protection(r), incomplete=True)),
        2,
    ),
    "ever restored": (
        lambda r: replace(r, protection=replace(protection(r), last_verified=None)),
        1,
    ),
    "raw files are gone": (
        lambda r: replace(r, raw_files=RawFilesGone("b", 9, 9, alarming=True)),
        2,
    ),
    "remote nas is behind": (lambda r: replace(r, remotes=remote(None)), 1),
    "push to nas failed": (lambda r: replace(r, remotes=remote(1.0, "no network")), 1),
}


@pytest.mark.parametrize("said", FAULTS)
def test_each_fault_has_its_word_and_code(said: str, well: StatusReport, world: Vault) -> None:
    change, code = FAULTS[said]
    line, found = check_line(change(well), world.now)
    assert found == code, line
    assert said in line
    assert line.startswith(("OK", "WARNING", "CRITICAL", "UNKNOWN")[code])
    assert "\n" not in line


def test_what_is_well_is_ok_and_ages_are_in_hours(well: StatusReport, world: Vault) -> None:
    now = world.now + timedelta(hours=2, minutes=30)
    line, code = check_line(replace(well, remotes=remote(1800.0)), now)
    assert code == 0
    assert line == (
        f"OK - {world.target}: 1 observations, backup 2.5 h ago, restore proven 2.5 h ago, "
        "nas 0.5 h behind"
    )
    line, code = check_line(well, now + timedelta(days=9))
    assert (code, "no restore was proven" in line) == (1, True)


def test_an_error_is_unknown(
    world: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("status", str(tmp_path / "nothing.db"), "--vault", str(tmp_path / "kept"), "--check")
    assert app([*words], standalone_mode=False) == 3
    assert capsys.readouterr().out.startswith("UNKNOWN - target ")
    with pytest.raises(UsageError, match="leave --json out"):
        app(["status", str(world.target), "--check", "--json"], standalone_mode=False)
