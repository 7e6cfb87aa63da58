"""Undo: the target is what it was, and what it was before the undo is kept too."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.documents.document import document
from neotoma_core.errors import TargetLocked, UsageError, VaultDamaged
from neotoma_core.report.progress import Silent
from neotoma_core.restore.report import RestoreReport
from neotoma_core.restore.sources import check_evidence, find_source
from tests.conftest import NOW, Recover
from tests.recovery.test_inputs import server_on
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import entity, make_database, observation, read_all
from tests.support.restoring import restore_evidence


def undo(evidence: str | Path, target: Path) -> RestoreReport:
    vault = target.parent / "vault"
    now = NOW + timedelta(hours=1)
    return restore_evidence(Path(evidence), target, vault, now, Silent(), guard=PERMISSIVE)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_database(tmp_path / "target.db", {"entities": [entity("e1")]})


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return make_database(tmp_path / "backup.db", {"observations": [observation("o1")]})


def test_a_recovery_is_undone_to_the_byte_and_the_undo_too(
    target: Path, backup: Path, run_recover: Recover
) -> None:
    old = target.read_bytes()
    report = run_recover(target, backup)
    new = target.read_bytes()
    undone = undo(report.evidence.folder, target)
    assert target.read_bytes() == old
    words = (undone.undo or "").split()
    assert words[:2] == ["midden", "restore"]
    undo(words[2], target)
    assert target.read_bytes() == new


def test_undoing_a_creation_removes_the_target_again(
    tmp_path: Path, backup: Path, run_recover: Recover
) -> None:
    target = tmp_path / "new.db"
    report = run_recover(target, backup)
    undo(report.evidence.folder, target)
    assert not target.exists()


def test_an_old_log_never_meets_a_restored_database(
    target: Path, backup: Path, run_recover: Recover
) -> None:
    report = run_recover(target, backup)
    before = read_all(Path(report.evidence.folder) / "target" / target.name)
    wal = target.with_name(target.name + "-wal")
    with server_on(target):
        log = wal.read_bytes()
        database = target.read_bytes()
    target.write_bytes(database)
    wal.write_bytes(log)  # what a killed server leaves
    undo(report.evidence.folder, target)
    assert not wal.exists()
    assert read_all(target) == before


def test_a_target_with_a_log_comes_back_with_what_the_log_held(
    target: Path, backup: Path, run_recover: Recover
) -> None:
    with server_on(target):
        report = run_recover(target, backup)
    undo(report.evidence.folder, target)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT id FROM observations").fetchall() == [("live",)]


def test_a_target_that_a_server_holds_is_refused(
    target: Path, backup: Path, run_recover: Recover
) -> None:
    report = run_recover(target, backup)
    with server_on(target), pytest.raises(TargetLocked):
        undo(report.evidence.folder, target)


def test_a_changed_copy_is_refused(target: Path, backup: Path, run_recover: Recover) -> None:
    report = run_recover(target, backup)
    copy = Path(report.evidence.folder) / "target" / target.name
    raw = bytearray(copy.read_bytes())
    raw[-1] ^= 1
    copy.write_bytes(raw)
    with pytest.raises(VaultDamaged, match="not the file the manifest describes"):
        check_evidence(Path(report.evidence.folder))


@pytest.mark.parametrize("name", ["../../vault.json", "/etc/passwd", "..", "", None, 3])
def test_a_copy_that_is_named_outside_its_folder_is_refused(
    name: object, target: Path, backup: Path, run_recover: Recover
) -> None:
    evidence = Path(run_recover(target, backup).evidence.folder)
    described = json.loads((evidence / "manifest.json").read_text())
    (copied,) = (d for d in described["databases"] if d["label"] == "target")
    copied["files"][0]["name"] = name
    (evidence / "manifest.json").write_bytes(document(described))
    with pytest.raises(VaultDamaged, match=r"files\[\]\.name is not a path"):
        check_evidence(evidence)


def test_a_folder_without_manifest_is_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no manifest"):
        check_evidence(tmp_path)


@pytest.mark.parametrize("content", [b"[]", b"null", b"3", b'{"of": "another program"}', b"{"])
def test_a_manifest_that_describes_nothing_is_damage_unless_a_database_is_beside_it(
    content: bytes, tmp_path: Path
) -> None:
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(VaultDamaged, match="not an evidence manifest"):
        find_source(str(folder), tmp_path / "vault")
    copy = make_database(folder / "neotoma.db", {"entities": [entity("e1")]})
    found = find_source(str(folder), tmp_path / "vault")
    assert (found.origin, found.copy) == ("neotoma", copy)
