"""What killed recoveries leave: named, and gone after the next one, unless nothing else has it."""

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.errors import ConflictsFound
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.recovery.recover import plan_only, recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.runs.left_over import find_left_in
from neotoma_core.vault.folder import list_unfinished_runs
from tests.conftest import NOW
from tests.support.databases import entity, make_database, observation
from tests.support.forks.asking import python

KILLED = 77
HOUR = timedelta(hours=1)
RUNS = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from neotoma_core.report.progress import Silent
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.files.atomic import observe

def die_at(target, backup, vault, step, times):
    left = int(times)

    def crash(reached):
        nonlocal left
        left -= reached == step
        if left == 0:
            os._exit(77)

    request = RecoverRequest(Path(target), (Path(backup),), Path(vault), archived=True)
    with observe(crash), recovery_run(request, datetime(2026, 3, 12, tzinfo=UTC)) as run:
        recover(run, lambda _: True, Silent())

for step in sys.argv[4:]:
    child = os.fork()
    if not child:
        die_at(*sys.argv[1:4], *step.split(":"))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class World:
    """A target, a backup with one observation more, and the vault of the target."""

    def __init__(self, folder: Path) -> None:
        rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
        more = {**rows, "observations": [observation("o1"), observation("o2")]}
        self.target = make_database(folder / "data" / "target.db", rows)
        self.backup = make_database(folder / "backup.db", more)
        self.vault = folder / "vault"

    def kill_at(self, *steps: str) -> None:
        words = [str(python()), "-c", RUNS, *map(str, (self.target, self.backup, self.vault))]
        ended = subprocess.run([*words, *steps], check=True, capture_output=True, text=True)
        assert ended.stdout.split() == [str(KILLED)] * len(steps)

    def interrupt(self) -> Path:
        """Interrupt a recovery once it has its evidence; return that."""
        request = RecoverRequest(self.target, (self.backup,), self.vault)
        with suppress(KeyboardInterrupt), recovery_run(request, NOW - HOUR) as run:
            plan_only(run, Silent())
            (run.folders.report / "report.json").unlink()
            raise KeyboardInterrupt
        (evidence,) = self.evidence()
        return evidence

    def recover(self, *, archived: bool = False, hours: int = 0) -> RecoveryReport:
        request = RecoverRequest(self.target, (self.backup,), self.vault, archived=archived)
        with recovery_run(request, NOW + hours * HOUR) as run:
            return recover(run, lambda _: True, Silent())

    def evidence(self) -> list[Path]:
        return sorted((self.vault / "evidence").iterdir())

    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.vault.rglob("*") if path.is_file())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_killed_recoveries_left_goes_with_the_next_one(world: World) -> None:
    inputs = sum(path.stat().st_size for path in (world.target, world.backup))
    world.kill_at("files_opened:1", "files_opened:2", "verified:1", "locked:1", "verified:1")
    assert world.bytes() < 4 * inputs
    left = find_left_in(world.vault)
    assert [Path(one.path) for one in left] == world.evidence()
    assert world.recover().outcome == "published"
    assert len(world.evidence()) == 1
    assert (list_unfinished_runs(world.vault), find_left_in(world.vault)) == ((), ())


def test_the_only_copy_of_what_a_target_was_stays_and_is_named(world: World) -> None:
    before = world.target.read_bytes()
    world.kill_at("committed:1")
    (evidence,) = world.evidence()
    assert world.recover().outcome == "unchanged"
    assert (evidence / "target" / "target.db").read_bytes() == before
    assert [one.path for one in find_left_in(world.vault)] == [str(evidence)]


@pytest.mark.parametrize("planted", ["target/target.db", "raw_files_damaged/aa", "target/link"])
def test_what_nothing_else_has_stays(planted: str, world: World) -> None:
    evidence = world.interrupt()
    place = evidence / planted
    place.parent.mkdir(exist_ok=True)
    if planted == "target/link":
        place.symlink_to(world.backup)
    else:
        place.write_bytes(world.target.read_bytes()[:-1] + b"?")
    world.recover()
    assert evidence in world.evidence()
    assert list_unfinished_runs(world.vault) == (evidence.name,)


def test_a_run_that_was_interrupted_left_it_too(world: World) -> None:
    evidence = world.interrupt()
    assert [one.path for one in find_left_in(world.vault)] == [str(evidence)]
    world.recover()
    assert len(world.evidence()) == 1


def plan(world: World, now: datetime) -> None:
    with recovery_run(RecoverRequest(world.target, (world.backup,), world.vault), now) as run:
        plan_only(run, Silent())


def test_a_run_that_changed_nothing_keeps_no_evidence(world: World) -> None:
    plan(world, NOW - HOUR)
    assert world.evidence() == []
    assert world.recover().outcome == "published"
    (kept,) = world.evidence()
    assert world.recover(hours=1).outcome == "unchanged"
    assert world.evidence() == [kept]
    assert (find_left_in(world.vault), list(world.vault.glob("work/*"))) == ((), [])


def test_a_refusal_in_safe_mode_keeps_none_either(world: World, tmp_path: Path) -> None:
    changed = [observation("o1", fields='{"title":"other"}')]
    other = make_database(tmp_path / "o.db", {"entities": [entity("e1")], "observations": changed})
    request = RecoverRequest(world.target, (other,), world.vault, policy=MergePolicy("safe"))
    with pytest.raises(ConflictsFound), recovery_run(request, NOW) as run:
        plan_only(run, Silent())
    assert world.evidence() == []
    assert len(list(world.vault.glob("reports/*/conflicts.jsonl"))) == 1


def meanwhile(world: World, change: Callable[[Path], object]) -> list[Path]:
    """Plan a recovery, change something before it ends, and return the evidence that is left."""
    request = RecoverRequest(world.target, (world.backup,), world.vault)
    with recovery_run(request, NOW) as run:
        plan_only(run, Silent())
        change(run.folders.evidence)
    return world.evidence()


def test_evidence_stays_where_the_target_is_no_longer_what_was_copied(world: World) -> None:
    """Whatever the run says of itself: it is the only copy of what the target was."""
    assert len(meanwhile(world, lambda _: os.utime(world.target))) == 1


def test_evidence_stays_where_the_target_is_gone(world: World) -> None:
    assert len(meanwhile(world, lambda _: world.target.unlink())) == 1


def test_evidence_stays_where_a_backup_is_gone(world: World) -> None:
    assert len(meanwhile(world, lambda _: world.backup.unlink())) == 1


def test_evidence_stays_where_more_than_copies_is_in_it(world: World) -> None:
    assert len(meanwhile(world, lambda folder: (folder / "raw_files_damaged").mkdir())) == 1


def test_nothing_is_named_while_a_run_is_at_it(world: World) -> None:
    world.interrupt()
    assert len(find_left_in(world.vault)) == 1
    request = RecoverRequest(world.target, (world.backup,), world.vault)
    with recovery_run(request, NOW):
        assert find_left_in(world.vault) == ()


def test_a_recovery_that_died_before_its_archive_was_whole_is_completed(world: World) -> None:
    world.kill_at("committed:1", "table_committed:1", "commit_recorded:1")
    report = world.recover(archived=True)
    assert (report.outcome, report.archived is not None) == ("unchanged", True)
    archive = world.vault / "archive"
    assert read_table(open_archive(archive), "observations").require_whole().height == 2
    assert verify_archive(archive, Silent()).findings == ()
