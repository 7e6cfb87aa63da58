"""The same job on workers of a Dask cluster: equal to one machine's, whoever dies meanwhile."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster

from neotoma_core.errors import (
    ClusterError,
    SchedulerUnreachable,
    UsageError,
    VerificationFailed,
    WorkerLost,
    WorkersDiffer,
)
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.stages import connecting
from neotoma_core.stages.cluster import connect_cluster
from neotoma_core.stages.kept import keep
from neotoma_core.stages.places import Folder
from neotoma_core.stages.runner import Threads, Work
from tests.benchmarks.invented_archives import make_archive
from tests.conftest import NOW
from tests.support.databases import read_all
from tests.support.parts import path_of
from tests.support.workers_of_a_cluster import Recording, When, count_notes, local_cluster

VERSIONS = 2_000
Restored = tuple[Path, dict[str, object]]


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "vault"
    make_archive(folder, VERSIONS)
    return folder


@pytest.fixture(scope="module")
def vault_and_whole(vault: Path, tmp_path_factory: pytest.TempPathFactory) -> Restored:
    """A vault, and what one process makes of its archive with all rows in one bucket."""
    target = tmp_path_factory.mktemp("whole") / "neotoma.db"
    restore(vault, target, Work(buckets=1))
    return vault, as_restored(target)


@pytest.fixture(scope="module")
def started() -> Iterator[LocalCluster]:
    with local_cluster() as cluster:
        yield cluster


def restore(vault: Path, target: Path, job: Work) -> None:
    request = RestoreArchiveRequest(vault / "archive", target, vault, job=job)
    report = restore_archive(request, NOW, lambda _: True, Silent())
    assert report.erased > 0


def as_restored(target: Path) -> dict[str, object]:
    """Return all rows in their order; the wall clock's column is the run's."""
    rows = read_all(target)
    assert len(rows["entity_snapshots"]) > VERSIONS / 4
    assert rows["relationship_snapshots"]
    return dict(rows)


def test_many_buckets_hold_what_one_does(vault_and_whole: Restored, tmp_path: Path) -> None:
    vault, whole = vault_and_whole
    restore(vault, tmp_path / "neotoma.db", Work(buckets=8))
    assert as_restored(tmp_path / "neotoma.db") == whole


@pytest.mark.parametrize(
    ("stage", "when"),
    [("split", "before"), ("resolve", "after"), ("resolve", "before"), ("decide_task", "after")],
)
def test_a_worker_that_is_killed_costs_its_part_only(
    stage: str, when: When, vault_and_whole: Restored, started: LocalCluster, tmp_path: Path
) -> None:
    vault, whole = vault_and_whole
    notes, parts = tmp_path / "notes", tmp_path / "parts"
    notes.mkdir()
    parts.mkdir()
    with connect_cluster(started.scheduler_address) as cluster:
        runner = Recording(cluster, notes, stage, dies=0, when=when)
        restore(vault, tmp_path / "neotoma.db", Work(runner, Folder(parts), buckets=4))
    assert as_restored(tmp_path / "neotoma.db") == whole
    killed = {path.name.removeprefix("died ") for path in notes.glob(f"died {stage} *")}
    again = {task for task, times in count_notes(notes, "began").items() if times > 1}
    assert killed
    assert killed <= again
    assert set(count_notes(notes, "made").values()) == {1}  # no part was made twice
    assert list(parts.iterdir()) == []


def test_a_worker_that_dies_again_and_again_ends_the_job(vault: Path, tmp_path: Path) -> None:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        local_cluster(1) as one,
        connect_cluster(one.scheduler_address) as cluster,
    ):
        (tmp_path / "notes").mkdir()
        runner = Recording(cluster, tmp_path / "notes", "split", dies=0)
        with pytest.raises(WorkerLost, match="1 workers died, one after another, over one task"):
            restore(vault, tmp_path / "neotoma.db", Work(runner, Folder(tmp_path), buckets=2))
    assert not (tmp_path / "neotoma.db").exists()
    assert not list(tmp_path.glob("midden-*"))


def test_a_scheduler_that_is_not_there_is_said_soon() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with (
            pytest.raises(SchedulerUnreachable, match="did not answer within 1 s"),
            connect_cluster(address, patience=1),
        ):
            pass


def test_a_scheduler_that_goes_away_meanwhile_is_said() -> None:
    with local_cluster(1) as one, connect_cluster(one.scheduler_address) as cluster:
        results = cluster.run(time.sleep, [0.0, 60.0])
        assert next(results) is None
        one.close()
        with pytest.raises(SchedulerUnreachable, match="the connection to it broke"):
            next(results)


def test_an_address_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not an address"), connect_cluster("nowhere://x:1"):
        pass


def test_a_scheduler_without_workers_is_no_use() -> None:
    expected = pytest.raises(SchedulerUnreachable, match="it has no worker")
    with local_cluster(0) as none, expected, connect_cluster(none.scheduler_address, 0.5):
        pass


@pytest.mark.parametrize("name", ["polars", "midden"])
def test_workers_of_another_version_are_refused(
    name: str, started: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {**connecting.versions_here(), name: "0.0.7"}
    monkeypatch.setattr(connecting, "_version", ours.__getitem__)
    expected = pytest.raises(WorkersDiffer, match=rf"has {name} .*, and here it is 0\.0\.7")
    with expected, connect_cluster(started.scheduler_address):
        pass


def test_a_folder_that_a_worker_does_not_see_is_named(
    started: LocalCluster, tmp_path: Path
) -> None:
    with connect_cluster(started.scheduler_address) as cluster:
        cluster.require_seen(Folder(tmp_path))
        with pytest.raises(ClusterError, match=r"does not see .*elsewhere; nothing was changed"):
            cluster.require_seen(Folder(tmp_path), Folder(tmp_path / "elsewhere"))


def test_what_was_kept_is_read_only_as_it_was_written(tmp_path: Path) -> None:
    place = Folder(tmp_path)
    kept = keep(place, "stage", 0, lambda: {"a": 1})
    assert keep(place, "stage", 0, lambda: {"a": 2}) == kept
    assert kept.load() == {"a": 1}
    path_of(kept).write_bytes(path_of(kept).read_bytes()[:-1] + b"!")
    with pytest.raises(VerificationFailed, match="not what a task of this job wrote"):
        kept.load()


def test_threads_raise_what_the_first_task_does_that_fails() -> None:
    done = Threads().run(lambda n: 1 // n, [1, 0, 2])
    assert next(done) == 1
    with pytest.raises(ZeroDivisionError):
        next(done)
