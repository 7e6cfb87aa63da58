"""The steps of a recovery: each may be repeated, and none loses what an earlier try secured."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import TargetLocked, UsageError
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.publication import transaction as publication
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest, RecoveryRun
from neotoma_core.recovery.steps import hash_raw_files, merge_and_publish, secure_and_read
from neotoma_core.report.progress import Silent
from neotoma_core.sources.reading import ReadDatabase
from tests.conftest import NOW
from tests.support.databases import count, entity, insert, make_database, observation

CONTENT = b"a source"
RAW_FILE = f"user/{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RecoveryRun]:
    """Begin a run of two databases; the target's copy of a raw file is damaged."""
    target = make_database(tmp_path / "live/neotoma.prod.db", {"entities": [entity("e1")]})
    backup = make_database(
        tmp_path / "old/neotoma.prod.db", {"observations": [observation("o1"), observation("o2")]}
    )
    for database, content in ((target, b"damaged"), (backup, CONTENT)):
        path = database.parent / "sources_prod" / RAW_FILE
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    with recovery_run(RecoverRequest(target, (backup,), tmp_path / "vault"), NOW) as begun:
        yield begun


def read_all(run: RecoveryRun) -> list[ReadDatabase]:
    return [secure_and_read(run, database, Silent()) for database in run.databases]


def test_reading_and_hashing_may_be_repeated(run: RecoveryRun) -> None:
    assert read_all(run) == read_all(run)
    assert hash_raw_files(run) == hash_raw_files(run)


def test_publishing_may_be_repeated_after_the_target_was_locked(
    run: RecoveryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "_PATIENCE_SECONDS", 0.1)
    target = run.path
    read, raw_files = read_all(run), hash_raw_files(run)
    with closing(sqlite3.connect(target, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(TargetLocked):
            merge_and_publish(run, read, raw_files, Silent())
        writer.execute("ROLLBACK")
    assert count(target, "observations") == 0
    report = merge_and_publish(run, read, raw_files, Silent())
    assert report.outcome == "published"
    assert count(target, "observations") == 2
    assert (target.parent / "sources_prod" / RAW_FILE).read_bytes() == CONTENT
    damaged = run.folders.evidence / "raw_files_damaged" / RAW_FILE
    assert damaged.read_bytes() == b"damaged"


def test_a_target_written_to_meanwhile_is_read_again(run: RecoveryRun) -> None:
    target = run.path
    read, raw_files = read_all(run), hash_raw_files(run)
    first = (run.folders.evidence / "target" / target.name).read_bytes()
    with closing(sqlite3.connect(target, isolation_level=None)) as writer:
        insert(writer, "observations", observation("o3"))
    written = target.read_bytes()
    report = merge_and_publish(run, read, raw_files, Silent())
    assert report.before.observations == 1
    assert count(target, "observations") == 3
    assert (run.folders.evidence / "target" / target.name).read_bytes() == written
    assert (run.folders.evidence / "target-try-1" / target.name).read_bytes() == first


def test_publishing_twice_is_publishing_once_and_keeps_the_evidence(run: RecoveryRun) -> None:
    target = run.path
    before = target.read_bytes()
    read, raw_files = read_all(run), hash_raw_files(run)
    merge_and_publish(run, read, raw_files, Silent())
    again = merge_and_publish(run, read, raw_files, Silent())
    assert again.writes == 0
    assert (run.folders.evidence / "target-try-1" / target.name).read_bytes() == before


@pytest.mark.parametrize("name", ["neotoma.prod.db", "memory.db"])
def test_unattended_no_production_database_is_overwritten(name: str, tmp_path: Path) -> None:
    ids = [f"o{n}" for n in range(20)]
    target = make_database(
        tmp_path / "live" / name, {"observations": [observation(i) for i in ids]}
    )
    others = [observation(i, fields='{"title":"other"}') for i in ids]
    backup = make_database(tmp_path / "old" / "memory.db", {"observations": others})
    before = target.read_bytes()
    policy = MergePolicy("keep-source")
    request = RecoverRequest(target, (backup,), tmp_path / "vault", policy)
    environment = "production" if name == "memory.db" else None
    with recovery_run(request, NOW) as run:
        read, raw_files = read_all(run), hash_raw_files(run)
        with pytest.raises(UsageError, match="a production database"):
            merge_and_publish(run, read, raw_files, Silent(), environment)
        assert target.read_bytes() == before
    if environment:
        with recovery_run(request, NOW) as run:
            report = merge_and_publish(run, read_all(run), hash_raw_files(run), Silent())
        assert report.backup is not None
        assert count(target, "observations") == 20


def test_rows_that_were_merely_sent_again_are_not_lost(tmp_path: Path) -> None:
    rows = [observation(f"o{n}", observed_at="2026-03-11T00:00:00.000Z") for n in range(20)]
    target = make_database(tmp_path / "neotoma.prod.db", {"observations": rows})
    earlier = [observation(f"o{n}") for n in range(20)]
    backup = make_database(tmp_path / "old" / "neotoma.prod.db", {"observations": earlier})
    policy = MergePolicy("keep-target", "keep-earliest")
    request = RecoverRequest(target, (backup,), tmp_path / "vault", policy)
    with recovery_run(request, NOW) as run:
        report = merge_and_publish(run, read_all(run), hash_raw_files(run), Silent())
    assert (report.outcome, report.backup) == ("published", None)


def test_rows_that_only_the_other_side_changed_are_not_lost(tmp_path: Path) -> None:
    before = [observation(f"o{n}") for n in range(20)]
    after = [observation(f"o{n}", fields='{"title":"other"}') for n in range(20)]
    target = make_database(
        tmp_path / "neotoma.prod.db", {"observations": [*before, observation("here")]}
    )
    base = make_database(tmp_path / "base" / "neotoma.prod.db", {"observations": before})
    there = make_database(
        tmp_path / "there" / "neotoma.prod.db", {"observations": [*after, observation("there")]}
    )
    request = RecoverRequest(target, (base, there), tmp_path / "vault")
    with recovery_run(request, NOW) as run:
        report = merge_and_publish(run, read_all(run), hash_raw_files(run), Silent())
    assert (report.conflicts.three_way, report.backup) == (20, None)
    assert count(target, "observations") == 22
