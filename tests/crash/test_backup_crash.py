"""Killed at any step, or failing at any write: no half backup, an old or a new target.

And running the same again finishes.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from neotoma_core.backup.drills.drill import DrillRules
from neotoma_core.files import atomic
from neotoma_core.sqlite import copies
from neotoma_core.vault import backups
from neotoma_core.vault.backups import list_backups
from tests.crash.doomed import KILLED, REFUSED, Doomed, run, start_doomed
from tests.support.archiving import archive
from tests.support.backing_up import HASH, Vault, copy_vault, fill, small_vault
from tests.support.databases import count, read_all

OPERATIONS: Final = ("backup", "verify", "restore", "restore-archive", "prune", "reset")
MOST: Final = 2  # times that a run is killed at one and the same step
STRIDE: Final = {"verify": 9, "reset": 5, "restore-archive": 5}  # of writes that fail
ERRORS: Final = (errno.ENOSPC, errno.EIO, errno.EACCES)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Two backups of 20 and 30 observations, a raw file that only the first has, 40 now.

    An archive that has seen the first.
    """
    world = small_vault(tmp_path_factory.mktemp("template"), 20)
    world.back_up()
    archive(world.target, world.folder / "archive")
    (world.folder / "data/sources_prod/u1" / HASH).unlink()
    fill(world.target, 30)
    with closing(sqlite3.connect(world.target)) as connection, connection:
        connection.execute("UPDATE sources SET storage_url = NULL")
    world.back_up()
    world.accept(world.backups[-1].manifest.name)
    fill(world.target, 40)
    return world


@pytest.fixture(scope="module")
def zygote() -> Iterator[Doomed]:
    with start_doomed() as process:
        yield process


def check(operation: str, world: Vault) -> None:
    """Look at what a run left that did not come to its end."""
    listing = list_backups(world.vault)
    assert listing.strange == ()
    found = [backup.manifest.sequence for backup in listing.backups]
    observations = count(world.target, "observations")
    after = {
        "backup": ((1, 2), (1, 2, 3)),
        "verify": ((1, 2),),
        "restore": ((1, 2),),
        "restore-archive": ((1, 2),),
        "prune": ((1, 2), (2,)),
        "reset": ((1, 2), (1, 2, 3)),
    }
    assert tuple(found) in after[operation]
    left = {"restore": (20, 40), "restore-archive": (20, 40), "reset": (0, 40)}
    assert observations in left.get(operation, (40,))


def finish(operation: str, world: Vault) -> None:
    """Run it again, and look at that."""
    run(operation, world.folder)
    listing = list_backups(world.vault)
    assert list(world.vault.glob("work/*")) == []
    assert list(world.vault.glob("backups/*/.*")) == []
    left = {"restore": 20, "restore-archive": 20, "reset": 0}
    assert count(world.target, "observations") == left.get(operation, 40)
    if operation == "backup":
        assert listing.backups[-1].state.alarms is not None
    if operation == "prune":
        assert [path for path in world.vault.glob("blobs/*/*") if path.is_file()] == []
    assert world.verify(rules=DrillRules(expect_empty=True)).outcome == "pass"
    assert list(world.target.parent.glob(".*")) == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_any_step(
    operation: str, template: Vault, tmp_path: Path, zygote: Doomed
) -> None:
    killed = 0
    for step in (*atomic.STEPS, *backups.STEPS):
        number = 0
        while number < MOST:
            number += 1
            world = copy_vault(template, tmp_path / f"{step}-{number}")
            if zygote.at_step(step, number, operation, world.folder) != KILLED:
                break
            killed += 1
            check(operation, world)
            read_all(world.target)
            if number == 1 and (operation != "verify" or step == "renamed"):
                finish(operation, world)
    assert killed > 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_any_write_fails(operation: str, template: Vault, tmp_path: Path, zygote: Doomed) -> None:
    writes = zygote.failing(0, 0, operation, copy_vault(template, tmp_path / "all").folder)
    assert 10 < writes < 255
    refused = 0
    for number in range(1, writes + 1, STRIDE.get(operation, 1)):
        world = copy_vault(template, tmp_path / str(number))
        code = zygote.failing(number, ERRORS[number % 3], operation, world.folder)
        assert code in (0, REFUSED), number
        refused += code == REFUSED
        check(operation, world)
        if number % 7 == 1:
            finish(operation, world)
    assert refused > 5 or operation == "verify"  # a drill that cannot write is inconclusive


def test_every_step_is_reached_by_an_operation(template: Vault, tmp_path: Path) -> None:
    seen: set[str] = set()
    with atomic.observe(seen.add):
        for operations in (("backup", "backup"), ("prune",)):  # the second shares its file
            folder = copy_vault(template, tmp_path / operations[0]).folder
            for operation in operations:
                run(operation, folder)
    assert seen == {*atomic.STEPS, *backups.STEPS, *copies.STEPS}
