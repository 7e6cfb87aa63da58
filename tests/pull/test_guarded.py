"""What another machine erased is erased here only as far as the guard lets it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import UsageError
from neotoma_core.guard.guard import UNATTENDED, Guard
from neotoma_core.pull.pull import PullRequest, pull
from neotoma_core.pull.sources import CopyRequest
from neotoma_core.report.progress import Silent
from neotoma_core.vault.backups import list_backups
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import USER, count, entity, make_database, observation
from tests.support.remotes import YES, Machine, memory_url

MANY = 40


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A production database; another machine erased everything in it."""
    database = make_database(
        tmp_path / "one" / "neotoma.prod.db",
        {
            "entities": [entity("e1")],
            "observations": [observation(f"o{number}") for number in range(MANY)],
        },
    )
    (tmp_path / "other").mkdir()
    copy = Path(shutil.copyfile(database, tmp_path / "other" / database.name))
    url = memory_url()
    one = Machine(tmp_path / "one", url, database)
    one.add()
    one.push()
    other = Machine(tmp_path / "other", url, copy, one.identities)
    other.add()
    other.push()
    asked = EraseRequest(copy, other.vault, users=(USER,))
    with erase_run(asked, other.tick()) as run:
        erase(run, lambda _: True, Silent(), PERMISSIVE)
    other.push()
    return one


def pull_guarded(machine: Machine, guard: Guard) -> None:
    request = PullRequest(CopyRequest(machine.database, machine.vault))
    asking = replace(YES, guard=guard)
    pull(request, machine.remote(), machine.tick(), asking, Silent())


def test_a_production_database_is_not_emptied_by_another_machine(machine: Machine) -> None:
    with pytest.raises(UsageError, match="--yes does not count here"):
        pull_guarded(machine, UNATTENDED)
    assert count(machine.database, "observations") == MANY


def test_where_it_is_permitted_a_verified_backup_comes_first(machine: Machine) -> None:
    pull_guarded(machine, PERMISSIVE)
    assert count(machine.database, "observations") == 0
    (backup,) = list_backups(machine.vault).backups
    assert (backup.manifest.kind, backup.state.is_verified) == ("before-erase", True)
    assert backup.manifest.counts.observations == MANY
