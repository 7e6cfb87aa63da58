"""What several runs are late for is done once, whichever of them comes first, or all at once."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.errors import VaultLocked
from neotoma_core.schedule.job import NotDue, Scheduled, ScheduledReport, back_up_database, conclude
from neotoma_core.vault.announcing import Alerting
from neotoma_core.vault.folder import lock_vault
from tests.conftest import NOW
from tests.support.backing_up import Vault, small_vault

NOBODY = Alerting((), None, None)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path, 5)


def job_of(world: Vault, since: timedelta, after: timedelta = timedelta(0)) -> Scheduled:
    """Return a job that was due some time ago, and begins some time after NOW."""
    return Scheduled(world.target, world.vault, NOW + after, since=NOW - since)


def test_of_late_runs_the_first_makes_up_for_all(world: Vault) -> None:
    days = [timedelta(days=number) for number in (3, 2, 1)]
    done = [
        back_up_database(job_of(world, late, place * HOUR), NOBODY, None)
        for place, late in enumerate(days)
    ]
    assert [type(one) for one in done] == [ScheduledReport, NotDue, NotDue]
    (backup,) = world.backups
    outcome = conclude(job_of(world, HOUR), done[1], NOBODY)
    assert (outcome.event, outcome.report) == (None, None)
    assert f"nothing is due; backup {backup.name} was taken since" in outcome.reasons[0]


def test_a_backup_from_before_it_was_due_makes_up_for_nothing(world: Vault) -> None:
    back_up_database(job_of(world, HOUR), NOBODY, None)
    later = replace(job_of(world, HOUR), now=NOW + 24 * HOUR, since=NOW + 23 * HOUR)
    assert isinstance(back_up_database(later, NOBODY, None), ScheduledReport)


def test_a_backup_from_the_future_makes_up_for_nothing(world: Vault) -> None:
    back_up_database(replace(job_of(world, HOUR), now=NOW + timedelta(days=400)), NOBODY, None)
    assert isinstance(back_up_database(job_of(world, HOUR), NOBODY, None), ScheduledReport)


def test_without_a_time_a_backup_is_always_taken(world: Vault) -> None:
    for _ in range(2):
        back_up_database(Scheduled(world.target, world.vault, NOW), NOBODY, None)
    assert len(world.backups) == 2


def test_of_two_that_are_due_at_once_one_takes_it(world: Vault) -> None:
    """Each tries again until the vault is free, as the flow and a fleet do."""
    done: list[object] = []
    ready = threading.Barrier(2)

    def work(after: timedelta) -> None:
        ready.wait(60)
        while True:
            try:
                done.append(back_up_database(job_of(world, HOUR, after), NOBODY, None))
            except VaultLocked:
                continue
            return

    threads = [threading.Thread(target=work, args=(place * HOUR / 60,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in done) == ["NotDue", "ScheduledReport"]
    assert len(world.backups) == 1


def test_a_vault_that_is_held_is_an_error_that_may_pass_not_a_success(world: Vault) -> None:
    back_up_database(Scheduled(world.target, world.vault, NOW - 2 * HOUR), NOBODY, None)
    with lock_vault(world.vault), pytest.raises(VaultLocked):
        back_up_database(job_of(world, HOUR), NOBODY, None)
