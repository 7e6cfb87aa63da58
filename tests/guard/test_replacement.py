"""A target that changes while it is being replaced is left alone."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.comparison.losses import Loss
from neotoma_core.errors import TargetChanged, TargetError
from neotoma_core.guard.guard import RESTORE, Guard
from neotoma_core.guard.replacement import Secured, secure_target
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts, target_run
from tests.conftest import NOW
from tests.recovery.test_inputs import facts_of
from tests.support.backing_up import PERMISSIVE, Vault, small_vault
from tests.support.databases import count, insert, make_database, observation, read_all


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path, 3)


def add_row(target: Path) -> None:
    with closing(sqlite3.connect(target)) as connection:
        insert(connection, "observations", observation("late"))
        connection.commit()


def test_what_was_written_after_the_evidence_is_not_lost(world: Vault) -> None:
    whole = make_database(world.folder / "whole.db")
    with target_run(Whereabouts(world.target, world.vault), NOW) as run:
        secured = secure_target(run, whole, PERMISSIVE, RESTORE, Silent())
        add_row(world.target)
        before = read_all(world.target)
        with pytest.raises(TargetChanged, match="after it was read"):
            secured.replace()
    assert read_all(world.target) == before
    assert count(world.target, "observations") == 4


def test_a_target_that_came_into_being_meanwhile_is_not_lost(world: Vault) -> None:
    target = world.folder / "data" / "new.db"
    whole = make_database(world.folder / "whole.db")
    with target_run(Whereabouts(target, world.vault), NOW) as run:
        secured = secure_target(run, whole, PERMISSIVE, RESTORE, Silent())
        make_database(target, {"observations": [observation("late")]})
        with pytest.raises(TargetChanged):
            secured.replace()
    assert count(target, "observations") == 1


def test_an_idle_journal_does_not_stand_in_the_way(world: Vault) -> None:
    whole = make_database(world.folder / "whole.db")
    with closing(sqlite3.connect(world.target)) as connection:
        connection.execute("PRAGMA journal_mode = PERSIST")
        insert(connection, "observations", observation("late"))
        connection.commit()
    assert list(world.target.parent.glob("*-journal"))
    with target_run(Whereabouts(world.target, world.vault), NOW) as run:
        secure_target(run, whole, PERMISSIVE, RESTORE, Silent()).replace()
    assert count(world.target, "observations") == 0
    assert not list(world.target.parent.glob("*-journal"))


def test_nothing_is_replaced_that_was_not_granted(world: Vault) -> None:
    with (
        target_run(Whereabouts(world.target, world.vault), NOW) as run,
        pytest.raises(ValueError, match="not permitted"),
    ):
        Secured(run, None, granted=False).replace()
    assert count(world.target, "observations") == 3


def test_a_folder_that_cannot_be_written_to_is_said_before_anybody_is_asked(
    world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_database(world.folder / "whole.db")
    before, allowed = facts_of(world.target.parent), os.access

    def refusing(path: str | Path, mode: int) -> bool:
        return Path(path) != world.target.parent and allowed(path, mode)

    def ask(_: Loss) -> bool:
        raise AssertionError

    with target_run(Whereabouts(world.target, world.vault), NOW) as run:
        monkeypatch.setattr(os, "access", refusing)
        with pytest.raises(TargetError, match="its folder cannot be written to"):
            secure_target(run, whole, Guard(ask), RESTORE, Silent())
    assert facts_of(world.target.parent) == before
    assert world.backups == ()
