"""What may be done with a world once something was erased from it."""

from datetime import timedelta

from neotoma_core.rebuild.rebuild import rebuild_snapshots
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.request import RebuildRequest, rebuild_run
from neotoma_core.report.progress import Silent
from neotoma_core.restore.report import RestoreReport
from tests.conftest import NOW, recover_into
from tests.support.databases import (
    count,
)
from tests.support.erasing import World
from tests.support.restoring import restore_evidence

AFTER = NOW + timedelta(days=2)


def recover(world: World, **options: object) -> None:
    recover_into(world.vault)(world.target, world.backup, now=AFTER, **options)


def restore_kept(world: World, **options: object) -> RestoreReport:
    return restore_evidence(world.evidence, world.target, world.vault, AFTER, Silent(), **options)  # type: ignore[arg-type]  # a test's own keywords


def restore(world: World) -> None:
    report = restore_kept(world)
    assert report.erased > 0
    assert count(world.target, "entities") >= 3


def request(world: World) -> RebuildRequest:
    return RebuildRequest(world.target, world.vault)


def rebuild(world: World) -> RebuildReport:
    with rebuild_run(request(world), AFTER) as run:
        return rebuild_snapshots(run, lambda _: True, Silent())
