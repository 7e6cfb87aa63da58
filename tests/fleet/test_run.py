"""A run over a fleet: whatever is wrong with one database is named, and the others are done."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from neotoma_core.documents.document import document_of
from neotoma_core.errors import FleetError
from neotoma_core.fleet.operations import DOING
from neotoma_core.fleet.report import FleetReport, FleetRow
from neotoma_core.fleet.run import RUNNING, FleetRequest, run_fleet
from neotoma_core.fleet.task import OPERATIONS, FleetOptions, Operation
from neotoma_core.report.progress import Silent
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.fleet_table import FleetSettings, TaskRunner
from neotoma_core.vault.folder import lock_vault
from neotoma_core.vault.noted import keep_notes_in
from tests.conftest import NOW
from tests.support.backing_up import fill
from tests.support.fleet_faults import damage, fill_disk, lock, unplug
from tests.support.fleets import Fleet, small_fleet

NAMES = ("well", "damaged", "locked", "full", "unplugged", "wiped", "busy", "also-well")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return small_fleet(tmp_path / "fleet", ["a", "b", "c"])


def run(
    fleet: Fleet,
    operation: Operation,
    *names: str,
    now: datetime = NOW,
    options: FleetOptions | None = None,
    runner: TaskRunner = "threads",
) -> FleetReport:
    settings = FleetSettings(task_runner=runner)
    request = FleetRequest(operation, names, options or FleetOptions(), settings)
    return run_fleet(request, read_configuration(fleet.file), now, Silent())


def rows_of(report: FleetReport) -> dict[str, FleetRow]:
    return {row.label: row for row in report.rows}


@pytest.fixture
def ailing(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet that was backed up once, and six of its databases are in trouble since."""
    fleet = small_fleet(tmp_path / "fleet", NAMES, 60)
    keep_notes_in(tmp_path / "notes")
    assert run(fleet, "backup").exit_code == 0
    worlds = fleet.databases
    damage(worlds["damaged"])
    fill_disk(worlds["full"])
    unplug(worlds["unplugged"])
    fill(worlds["wiped"].target, 1)
    with lock_vault(worlds["busy"].vault):
        yield fleet


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_what_is_wrong_with_one_is_named_and_the_rest_is_done(
    ailing: Fleet, runner: TaskRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if runner == "processes":  # where vaults are noted, processes know by the folder of the user
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        notes = tmp_path / "state" / "midden"
        notes.mkdir(parents=True)
        (tmp_path / "notes").rename(notes / "vaults")
    # A locked database is waited for, so once is enough.
    with lock(ailing.databases["locked"]) if runner == "threads" else nullcontext():
        report = run(ailing, "backup", now=NOW + timedelta(hours=1), runner=runner)
    rows = rows_of(report)
    is_locked = runner == "threads"
    assert [row.name for row in report.rows] == list(NAMES)
    assert {name: (row.outcome, row.code, row.error) for name, row in rows.items()} == {
        "well": ("ok", 0, None),
        "damaged": ("alarm", 11, "TargetRuined"),
        "locked": ("failed", 11, "TargetLocked") if is_locked else ("ok", 0, None),
        "full": ("failed", 14, "DiskFull"),
        "unplugged": ("failed", 20, "VaultAbsent"),
        "wiped": ("alarm", 6, "AnomalyFound"),
        "busy": ("failed", 21, "VaultLocked"),
        "also-well": ("ok", 0, None),
    }
    assert not ailing.databases["unplugged"].vault.exists(), "no new vault was made"
    assert report.exit_code == 6
    assert [len(ailing.databases[name].backups) for name in ("well", "also-well")] == [2, 2]
    passing = ("locked", "busy") if is_locked else ("busy",)
    assert tuple(name for name, row in rows.items() if row.attempts == 2) == passing
    with pytest.raises(FleetError, match="of 8 databases need somebody: wiped, damaged, ") as bad:
        report.require_well()
    assert bad.value.names[-len(passing) :] == passing


def test_a_status_says_which_of_them_need_somebody(ailing: Fleet) -> None:
    report = run(ailing, "status", now=NOW + timedelta(hours=1))
    rows = rows_of(report)
    assert (rows["well"].outcome, rows["well"].code) == ("ok", 0)
    assert (rows["wiped"].outcome, rows["wiped"].code) == ("alarm", 6)
    assert "looks wiped" in rows["wiped"].said
    assert (rows["damaged"].code, rows["unplugged"].code) == (6, 6)
    assert "its vault is gone" in rows["unplugged"].said
    assert report.exit_code == 6


def test_a_database_that_was_never_backed_up_is_an_alarm(fleet: Fleet) -> None:
    report = run(fleet, "status")
    assert {(row.outcome, row.code) for row in report.rows} == {("alarm", 6)}
    assert "no backup was ever taken" in report.rows[0].said


def test_every_operation_has_what_does_it_and_every_runner_is_known() -> None:
    assert set(DOING) == set(OPERATIONS) == set(get_args(Operation))
    assert set(RUNNING) == set(get_args(TaskRunner))


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("verify", "1 backups restored and checked"),
        ("find", "2 copies, the most observations in one are"),
        ("archive", "versions appended, 0 rows are only in the archive"),
        ("export", "rows in"),
        ("push", "no remote"),
        ("backup", "observations, verified, 0 old ones removed"),
    ],
)
def test_each_operation_is_done_with_every_database(
    fleet: Fleet, operation: Operation, said: str, tmp_path: Path
) -> None:
    run(fleet, "backup")
    options = FleetOptions(max_age=timedelta(0), to=tmp_path / "exports")
    report = run(fleet, operation, now=NOW + timedelta(hours=1), options=options)
    assert [(row.name, row.outcome) for row in report.rows] == [
        ("a", "ok"),
        ("b", "ok"),
        ("c", "ok"),
    ]
    assert all(said in row.said for row in report.rows), report.rows
    if operation == "export":
        assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == ["a", "b", "c"]


def test_a_drill_that_is_not_due_is_not_repeated(fleet: Fleet) -> None:
    run(fleet, "backup")
    report = run(fleet, "verify", now=NOW + timedelta(days=1))
    assert {row.said for row in report.rows} == {"no drill is due"}


def test_a_backup_that_is_not_what_was_stored_is_the_worst_but_for_a_loss(fleet: Fleet) -> None:
    run(fleet, "backup")
    stored = next(fleet.databases["b"].place().glob("*.zst"))
    stored.write_bytes(stored.read_bytes()[:-9] + b"123456789")
    fleet.databases["c"].target.unlink()
    report = run(fleet, "verify", now=NOW, options=FleetOptions(max_age=None))
    assert [(row.outcome, row.code) for row in report.rows] == [("ok", 0), ("alarm", 5), ("ok", 0)]
    assert report.exit_code == 5


def test_each_database_keeps_its_own_settings(fleet: Fleet) -> None:
    metrics = fleet.folder / "b.prom"
    fleet.configure(
        more={
            "a": ["retention = { last = 1 }", 'schedule = { every = "hourly" }'],
            "b": [f'metrics_file = "{metrics}"', f'page = "{fleet.folder / "page.html"}"'],
        }
    )
    for hours in range(4):
        world = fleet.databases["a"]
        with closing(sqlite3.connect(world.target)) as connection, connection:
            connection.execute("UPDATE entities SET updated_at = ? WHERE 1", (f"x{hours}",))
        run(fleet, "backup", now=NOW + timedelta(hours=hours))
    assert [len(world.backups) for world in fleet.databases.values()] == [1, 4, 4]
    assert "midden_last_success_timestamp_seconds" in metrics.read_text()
    assert (fleet.folder / "page.html").read_text().startswith("<!doctype html>")
    report = run(fleet, "status", now=NOW + timedelta(hours=12))
    assert [row.outcome for row in report.rows] == ["alarm", "ok", "ok"]
    assert "backup overdue" in report.rows[0].said


def test_a_refusal_is_in_the_table_and_the_others_are_done(fleet: Fleet) -> None:
    again = f'[databases.again]\npath = "{fleet.databases["b"].target}"\n'
    fleet.file.write_text(fleet.file.read_text() + again)
    report = run(fleet, "backup")
    assert [(row.name, row.outcome, row.code) for row in report.rows] == [
        *((name, "ok", 0) for name in "abc"),
        ("again", "refused", 2),
    ]
    assert report.exit_code == 2
    assert "databases.again: the same database as b" in report.rows[-1].said


def test_only_the_databases_that_are_named_are_worked_on(fleet: Fleet) -> None:
    assert [row.name for row in run(fleet, "backup", "b").rows] == ["b"]
    assert [len(world.backups) for world in fleet.databases.values() if world.vault.exists()] == [1]


def test_the_report_is_one_document(fleet: Fleet) -> None:
    said = document_of(run(fleet, "backup").to_json().encode())
    assert isinstance(said, dict)
    assert {"at", "operation", "runner", "workers", "rows", "seconds", "exit_code"} <= set(said)
