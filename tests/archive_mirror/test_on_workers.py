"""Workers that read an archive from its store themselves, and keep the parts of the job there."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from distributed import LocalCluster

from neotoma_core.archive_mirror.bringing import bring_archive
from neotoma_core.archive_tables.building.selecting import Selection
from neotoma_core.archive_tables.database import build_database
from neotoma_core.archive_tables.reading import table_files
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import ClusterError
from neotoma_core.files.scratch import scratch_in
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.stages.cluster import connect_cluster
from neotoma_core.stages.places import OnStore
from neotoma_core.stages.runner import Work
from tests.archive_mirror.test_commands import Commands
from tests.benchmarks.invented_databases import make_database
from tests.conftest import NOW
from tests.support.databases import read_all
from tests.support.on_a_store import Archived
from tests.support.seaweed import BUCKET, S3Server
from tests.support.storing import ask_no_metadata, in_bucket, use_keys
from tests.support.workers_of_a_cluster import Recording, When, count_notes, local_cluster

OBSERVATIONS = 1_000


@pytest.fixture(scope="module")
def workers() -> Iterator[LocalCluster]:
    """Two workers, with the credentials of the owner of the store."""
    with pytest.MonkeyPatch.context() as environment:
        ask_no_metadata(environment)
        use_keys(environment)
        with local_cluster() as cluster:
            yield cluster


@pytest.fixture(scope="module")
def large(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """An archive on a store, of a database that changed between three runs; in several files."""
    archived = Archived(in_bucket(s3, BUCKET), tmp_path_factory.mktemp("large"))
    with pytest.MonkeyPatch.context() as environment:
        ask_no_metadata(environment)
        use_keys(environment)
        make_database(archived.database, OBSERVATIONS)
        archived.archive()
        archived.change("UPDATE entities SET canonical_name = 'b' WHERE rowid % 7 = 0")
        archived.change("DELETE FROM observations WHERE rowid % 11 = 0")
        archived.archive(now=NOW + timedelta(days=1))
    return archived


def rows_of(database: Path) -> dict[str, object]:
    rows: dict[str, object] = dict(read_all(database))
    assert len(read_all(database)["observations"]) > OBSERVATIONS / 2
    assert rows["entity_snapshots"]
    return rows


def restore(archive: Path, target: Path, job: Work) -> dict[str, object]:
    request = RestoreArchiveRequest(archive, target, target.parent / "vault", job=job)
    restore_archive(request, NOW, lambda _: True, Silent())
    return rows_of(target)


@contextmanager
def logs_only(archived: Archived) -> Iterator[Path]:
    """Bring the logs of an archive here, and none of its files."""
    with (
        scratch_in(archived.folder) as scratch,
        archived.place.open() as store,
        bring_archive(store, scratch, Silent(), content=False) as synced,
    ):
        yield synced.mirror.folder
        assert not list(synced.mirror.folder.glob("*/*.parquet"))


@pytest.mark.parametrize(
    ("stage", "when"), [("", "before"), ("split", "after"), ("decide_task", "before")]
)
def test_they_make_what_one_machine_does(
    stage: str, when: When, large: Archived, workers: LocalCluster, tmp_path: Path
) -> None:
    with large.bring() as archive:
        whole = restore(archive, tmp_path / "whole.db", Work())
    place = OnStore(large.place.url + "-parts", large.place.options)
    (notes := tmp_path / "notes").mkdir()
    with logs_only(large) as archive, connect_cluster(workers.scheduler_address) as cluster:
        origin = OnStore(large.place.url, large.place.options)
        runner = Recording(cluster, notes, stage, dies=0, when=when)
        made = restore(archive, tmp_path / "new.db", Work(runner, place, 4, origin))
    assert made == whole
    assert bool(list(notes.glob("died *"))) == bool(stage)
    assert set(count_notes(notes, "made").values()) == {1}  # no part was made twice
    assert not list(place.store.list())


def test_a_command_has_them_do_it(large: Archived, workers: LocalCluster, tmp_path: Path) -> None:
    commands = Commands(large, tmp_path / "vault")
    new = tmp_path / "new.db"
    words = ("--task-runner", "dask", "--scheduler", workers.scheduler_address)
    parts = f"{large.place.url}-others"
    commands.run("rebuild", "--archive", large.place.url, "--out", new, *words, "--parts", parts)
    with closing(sqlite3.connect(new)) as built, closing(sqlite3.connect(large.database)) as old:
        count = "SELECT count(*), max(id) FROM observations"
        assert built.execute(count).fetchall() == old.execute(count).fetchall()
    again = tmp_path / "again.db"
    asked = ("restore", "--from-archive", large.place.url, "--target", again, "--yes")
    commands.run(*asked, *words, "--parts", parts)
    assert rows_of(again).keys() == rows_of(new).keys()


def test_a_file_that_is_gone_from_the_store_is_named(
    there: Archived, workers: LocalCluster, tmp_path: Path
) -> None:
    there.archive()
    with logs_only(there) as archive, connect_cluster(workers.scheduler_address) as cluster:
        (file,) = table_files(open_archive(archive), "entities")
        there.plant(lambda store: store.delete(f"entities/{file.path.name}"))
        place, origin = (OnStore(there.place.url + e, there.place.options) for e in ("-p", ""))
        work = Work(cluster, place, 2, origin)
        opened = open_archive(archive)
        selection = Selection(damaged=True)
        built = build_database(opened, tmp_path / "b.db", selection, Silent(), work)
    assert [(d.path, d.reason) for d in built.damaged] == [(file.path, "the file is missing")]
    assert (built.rows["entities"], built.rows["observations"]) == (0, 2)


def test_a_worker_without_credentials_is_named(large: Archived) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_ACCESS_KEY_ID")
        environment.delenv("AWS_SECRET_ACCESS_KEY")
        with local_cluster(1) as poor, connect_cluster(poor.scheduler_address) as cluster:
            place = OnStore(large.place.url, large.place.options)
            with pytest.raises(ClusterError, match=r"cannot use s3://.*nothing was changed"):
                cluster.require_seen(place)
