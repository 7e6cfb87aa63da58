"""Archives and backups of a vault, named as backups: what one does to its reader costs that one."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from neotoma_core.errors import BackupDamaged, BackupError, BackupNotIntact
from neotoma_core.find.search import SearchRequest
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.composed import compose_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.workers import process as worker_process
from tests.conftest import NOW, Recover
from tests.support.archiving import archive
from tests.support.backing_up import Vault
from tests.support.databases import count, make_database
from tests.support.faulty_worker import CODE
from tests.support.proven import observe
from tests.support.raw import database, put

CRASHED = "reading it crashed"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database, as an archive of it and in the only backup of a vault."""
    world = Vault(tmp_path_factory.mktemp("kept"))
    make_database(world.target, {"observations": [observe(9)]})
    world.back_up(drill=False)
    archive(world.target, world.folder / "archive")
    return world.folder


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return make_database(tmp_path / "sound.db", {"observations": [observe(n) for n in range(3)]})


@pytest.fixture
def target(tmp_path: Path) -> Path:
    rows = {"observations": [observe(n) for n in range(2, 4)]}
    return make_database(tmp_path / "data" / "neotoma.prod.db", rows)


def name_copy(kept: Path, folder: Path, kind: str, called: str) -> Path:
    """Return a copy of what is kept, under a name."""
    place = kept / "archive" if kind == "archive" else Vault(kept).place()
    return Path(shutil.copytree(place, folder / called))


@pytest.mark.parametrize(
    ("kind", "fault", "why"),
    [
        ("archive", "segfault", CRASHED),
        ("archive", "nonsense", CRASHED),
        ("backup", "quoted", "Panic"),
    ],
)
def test_what_ends_its_reader_is_refused_or_left_out(  # noqa: PLR0917
    kind: str,
    fault: str,
    why: str,
    kept: Path,
    sound: Path,
    target: Path,
    run_recover: Recover,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_process, "_CODE", CODE)
    bad = name_copy(kept, sound.parent, kind, fault)
    before = target.read_bytes()
    with pytest.raises(BackupError, match=rf"^{bad}: .*{why}") as refused:
        run_recover(target, bad, sound)
    assert refused.value.exit_code == BackupError.exit_code
    assert target.read_bytes() == before
    report = run_recover(target, bad, sound, skip_unreadable=True)
    assert count(target, "observations") == 4
    assert [(one.path, why in one.reason) for one in report.not_used] == [(str(bad), True)]


def test_a_restore_of_a_backup_that_ends_its_reader_is_refused(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_CODE", CODE)
    world = Vault(Path(shutil.copytree(kept, tmp_path / "world")))
    before = world.target.read_bytes()
    bad = name_copy(kept, tmp_path, "backup", "segfault")
    with pytest.raises(BackupNotIntact, match=CRASHED):
        world.restore(str(bad))
    assert world.target.read_bytes() == before


def test_evidence_that_ends_its_reader_goes_back_as_the_ruin_it_is(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Vault(Path(shutil.copytree(kept, tmp_path / "world")))
    called = world.target.with_name("segfault.prod.db")
    world.target.rename(called)
    before = called.read_bytes()
    world.restore("1", called)
    (evidence,) = (world.vault / "evidence").iterdir()
    monkeypatch.setattr(worker_process, "_CODE", CODE)
    world.restore(str(evidence), called)
    assert called.read_bytes() == before


def test_an_archive_that_is_the_current_folder_can_be_named(
    kept: Path, target: Path, run_recover: Recover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kept / "archive")
    run_recover(target, Path())
    assert count(target, "observations") == 3


def test_what_stands_for_a_stored_file_is_not_waited_for(
    kept: Path, tmp_path: Path, target: Path, run_recover: Recover
) -> None:
    bad = name_copy(kept, tmp_path, "backup", "pipes")
    (bad / "database.db.zst").unlink()
    os.mkfifo(bad / "database.db.zst")
    with pytest.raises(BackupDamaged, match=r"database.db.zst: not a regular file"):
        run_recover(target, bad)


def test_raw_files_of_a_copy_that_was_found_end_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = database(tmp_path / "made" / "segfault.db", b"an invented receipt")
    put(made.parent / "sources", b"an invented receipt")
    (tmp_path / "home").mkdir()
    with tarfile.open(tmp_path / "home" / "copies.tar", "w") as packed:
        packed.add(made, "segfault.db")
        packed.add(made.parent / "sources", "sources")
    monkeypatch.setattr(worker_process, "_CODE", CODE)
    target = tmp_path / "data" / "neotoma.db"
    target.parent.mkdir()
    request = RecoverRequest(target, (), tmp_path / "vault")
    with compose_run(request, SearchRequest((tmp_path / "home",)), NOW, Silent()) as run:
        report = recover(run, lambda _: True, Silent())
    assert count(target, "observations") == 1
    assert any(CRASHED in str(finding) for finding in report.findings)
