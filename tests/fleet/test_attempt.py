"""An attempt: a failure is notified once, and errors of libraries are without their values."""

from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.errors import MiddenError, VaultLocked
from neotoma_core.fleet import attempt as attempts
from neotoma_core.fleet.attempt import attempt, find_database
from neotoma_core.fleet.operations import Said
from neotoma_core.fleet.task import FleetTask
from neotoma_core.schedule import alerting
from neotoma_core.settings.configuration import Configuration, read_configuration
from neotoma_core.vault.folder import lock_vault
from tests.conftest import NOW
from tests.support.fleets import Fleet, small_fleet
from tests.support.panics import SECRET, panic

Told = list[tuple[str, str]]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return small_fleet(tmp_path, ["a"])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What was sent to whoever is notified."""
    sent: Told = []

    def note(_: object, title: str, body: str) -> bool:
        sent.append((title, body))
        return True

    monkeypatch.setattr(alerting, "notify", note)
    return sent


def backup_of(fleet: Fleet) -> FleetTask:
    world = fleet.databases["a"]
    return FleetTask("backup", "a", world.target, world.vault, fleet.file, NOW)


def test_what_may_pass_is_raised_before_the_last_attempt_and_told_after_it(
    fleet: Fleet, told: Told
) -> None:
    task = backup_of(fleet)
    attempt(task)
    with lock_vault(task.vault):
        with pytest.raises(VaultLocked):
            attempt(task, last=False)
        assert told == []
        row = attempt(task, number=2)
    assert (row.code, row.may_pass, row.attempts) == (21, True, 2)
    ((title, body),) = told
    assert title == "midden: neotoma.prod.db: no backup was taken"
    assert "another run" in body


def test_what_does_not_pass_is_told_at_once(fleet: Fleet, told: Told) -> None:
    task = backup_of(fleet)
    task.target.unlink()
    row = attempt(task, last=False)
    assert (row.outcome, row.may_pass) == ("failed", False)
    assert len(told) == 1


@pytest.mark.parametrize("fault", ["panic", "unforeseen"])
def test_an_error_of_a_library_is_a_row_without_values(
    fleet: Fleet, fault: str, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Said:
        if fault == "panic":
            panic()
        raise ValueError(SECRET)

    monkeypatch.setattr(attempts, "DOING", {"backup": fail})
    row = attempt(backup_of(fleet))
    assert (row.outcome, row.code) == ("failed", 1)
    assert row.error == ("NativePanic" if fault == "panic" else MiddenError.__name__)
    assert SECRET not in repr((row, told))


def test_the_system_failing_is_named(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Said:
        raise OSError(28, "No space left on device", str(fleet.databases["a"].vault))

    monkeypatch.setattr(attempts, "DOING", {"backup": fail})
    assert attempt(backup_of(fleet)).code == 14


def test_a_file_that_names_another_database_where_the_work_is_done_is_refused(fleet: Fleet) -> None:
    task = backup_of(fleet)
    assert attempt(replace(task, target=Path("/elsewhere"))).code == 2
    assert attempt(replace(task, name="b")).code == 2
    row = attempt(replace(task, file=fleet.folder / "none.toml"))
    assert (row.code, "give all machines the same file" in row.said) == (2, True)
    assert not task.vault.exists()


def test_the_file_is_read_once_and_again_after_it_has_changed(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Path] = []

    def count(file: Path) -> Configuration:
        reads.append(file)
        return read_configuration(file)

    monkeypatch.setattr(attempts, "read_configuration", count)
    task = backup_of(fleet)
    assert find_database(task).settings.every is None
    find_database(task)
    assert len(reads) == 1
    fleet.configure(more={"a": ['schedule = { every = "weekly" }']})
    assert find_database(task).settings.every == "weekly"
    assert len(reads) == 2
