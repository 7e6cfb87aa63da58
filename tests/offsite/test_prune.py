"""Backups on a remote that no rule keeps: planned, said in the log, deleted."""

from pathlib import Path

import pytest

from neotoma_core.backup.listing import pin_backup
from neotoma_core.backup.retention import RetentionPolicy
from neotoma_core.errors import RemoteDenied, RemoteError, UsageError
from neotoma_core.offsite.prune_report import prune_text
from neotoma_core.remotes.remote import read_logs
from tests.support.backing_up import fill
from tests.support.databases import entity, make_database, observation
from tests.support.offsite import Refusing
from tests.support.remotes import Machine, copy_machine, memory_url

LAST = RetentionPolicy(last=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with three backups on its remote. Only copied."""
    folder = tmp_path_factory.mktemp("made")
    database = make_database(folder / "neotoma.db", {"entities": [entity("e1")]})
    fill(database, 60)
    made = Machine(folder, memory_url(), database)
    made.add()
    for number in range(3):
        made.add_row("observations", observation(f"more-{number}"))
        made.back_up()
    made.push()
    return made


@pytest.fixture
def machine(made: Machine, tmp_path: Path) -> Machine:
    return copy_machine(made, tmp_path)


def there(machine: Machine) -> set[str]:
    """Return the backups whose objects are on the remote."""
    return {name.split("/")[2] for name in machine.objects() if name.startswith("backups/")}


def list_shipped(machine: Machine) -> list[str]:
    """Return the backups that the log says are there."""
    (log,) = read_logs(machine.remote()).values()
    return list(log.backups)


def test_without_a_yes_nothing_is_changed(machine: Machine) -> None:
    before = machine.objects()

    report = machine.prune(LAST, agrees=False)

    assert (report.outcome, report.removed) == ("planned", 2)
    assert "would remove 2 backups" in prune_text(report)
    assert machine.objects() == before


def test_what_no_rule_keeps_goes_and_the_newest_stays(machine: Machine) -> None:
    *_, newest = list_shipped(machine)

    report = machine.prune(LAST)

    assert (report.outcome, report.removed) == ("pruned", 2)
    assert there(machine) == {newest}
    assert list_shipped(machine) == [newest]
    assert machine.verify().outcome == "pass"
    assert machine.push().outcome == "unchanged"  # what was removed is not shipped again
    assert machine.prune(LAST).outcome == "unchanged"


def test_the_newest_good_one_stays_whatever_the_policy_says(machine: Machine) -> None:
    *_, newest = list_shipped(machine)
    machine.prune(RetentionPolicy(hourly=1))

    assert newest in there(machine)


def test_one_whose_objects_are_gone_is_not_taken_for_the_newest_good_one(machine: Machine) -> None:
    _, good, newest = list_shipped(machine)
    gone = next(name for name in machine.objects() if f"/{newest}/" in name)
    machine.store.delete(gone)

    machine.prune(LAST)

    assert good in there(machine)


def test_a_pin_of_the_vault_holds_on_the_remote(machine: Machine) -> None:
    oldest, _, newest = list_shipped(machine)
    pin_backup(machine.vault, oldest, "for ever")

    machine.prune(LAST)

    assert there(machine) == {oldest, newest}


def test_nothing_goes_while_rotation_is_frozen(machine: Machine) -> None:
    machine.run("DELETE FROM observations WHERE id NOT LIKE 'more%'")
    machine.back_up()
    before = machine.objects()

    report = machine.prune(LAST)

    assert "rotation is frozen" in report.held
    assert machine.objects() == before


def test_who_may_not_delete_says_so_and_a_later_run_completes_it(machine: Machine) -> None:
    *_, newest = list_shipped(machine)
    machine.around = Refusing(machine.store)

    with pytest.raises(RemoteDenied, match="objects that are to go are still there"):
        machine.prune(LAST)

    machine.around = None
    assert list_shipped(machine) == [newest]
    assert len(there(machine)) == 3
    assert machine.verify().outcome == "pass"
    report = machine.prune(LAST)
    assert (report.outcome, report.removed) == ("pruned", 0)
    assert report.left_over == report.objects > 0
    assert there(machine) == {newest}


def test_stopped_while_deleting_a_later_run_completes_it(machine: Machine) -> None:
    *_, newest = list_shipped(machine)
    machine.around = Refusing(machine.store, allowed=3)
    with pytest.raises(RemoteDenied):
        machine.prune(LAST)
    machine.around = None

    machine.prune(LAST)

    assert there(machine) == {newest}
    assert machine.verify().outcome == "pass"


def test_what_cannot_be_planned_is_refused(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keeps nothing"):
        machine.prune(RetentionPolicy())
    folder = tmp_path / "fresh"
    database = make_database(folder / "neotoma.db", {"entities": [entity("e1")]})
    fresh = Machine(folder, machine.url, database, machine.identities)
    fresh.add()
    with pytest.raises(RemoteError, match="nothing of this vault was pushed"):
        fresh.prune(LAST)
