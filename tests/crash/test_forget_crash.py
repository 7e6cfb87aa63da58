"""Killed while a backup is rewritten: the old one, or both, or the new one; again completes it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.report.progress import Silent
from neotoma_core.vault.backups import list_backups
from tests.crash.doomed import KILLED, Doomed, run, start_doomed
from tests.support.backing_up import Vault, copy_vault, small_vault


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """One backup, from before an erasure."""
    world = small_vault(tmp_path_factory.mktemp("template"), 6)
    world.back_up()
    request = EraseRequest(world.target, world.vault, entities=("e0003",))
    with erase_run(request, world.now + timedelta(hours=1)) as erasing:
        erase(erasing, lambda _: True, Silent())
    return world


@pytest.fixture(scope="module")
def zygote() -> Iterator[Doomed]:
    with start_doomed() as process:
        yield process


STEPS = {
    "manifest_written": ["old"],
    "copy_restored": ["old"],
    "backup_installed": ["old", "new"],
    "backup_removed": ["new"],
    "blobs_removed": ["new"],
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(step: str, template: Vault, tmp_path: Path, zygote: Doomed) -> None:
    world = copy_vault(template, tmp_path)
    old = template.backups[0].name
    assert zygote.at_step(step, 1, "forget", world.folder) == KILLED
    found = {"old" if b.name == old else "new": b for b in world.backups}
    assert list(found) == STEPS[step]
    assert all(backup.is_good for backup in found.values())
    run("forget", world.folder)
    listing = list_backups(world.vault)
    assert [backup.name for backup in listing.backups] == [f"{old}.2"]
    assert (listing.strange, list(world.vault.glob("work/*"))) == ((), [])
    assert world.verify().outcome == "pass"
