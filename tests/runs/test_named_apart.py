"""Whatever a named file does to what reads it: it is named, and costs the run nothing else."""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import BackupError, BackupUnreadable
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.restore.restorable import unpack
from neotoma_core.restore.sources import find_source
from neotoma_core.workers import process as worker_process
from neotoma_core.workers.allowances import Allowance
from tests.conftest import NOW, Recover
from tests.support.backing_up import Vault
from tests.support.databases import count, make_database
from tests.support.faulty_worker import CODE
from tests.support.proven import observe
from tests.support.raw import database, put

FEW = Allowance(seconds=5, memory=500_000_000)
ENDLESS = "instr(hex(zeroblob(10000000)), hex(zeroblob(5000000)) || '1')"
CRASHED = "reading it crashed"
FAULTS = [("segfault", CRASHED), ("aborted", CRASHED), ("nonsense", CRASHED), ("quoted", "Panic")]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_CODE", CODE)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return make_database(tmp_path / "sound.db", {"observations": [observe(n) for n in range(3)]})


@pytest.fixture
def target(tmp_path: Path) -> Path:
    rows = {"observations": [observe(n) for n in range(2, 4)]}
    return make_database(tmp_path / "data" / "neotoma.prod.db", rows)


def name_tar(folder: Path, *, packed: bool, called: str) -> Path:
    file = make_database(folder / f"{called}.db", {"observations": [observe(9)]})
    if not packed:
        return file
    with tarfile.open(folder / f"{called}.tar", "w") as archive:
        archive.add(file, "neotoma.db")
    return folder / f"{called}.tar"


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize(("fault", "why"), FAULTS)
def test_a_backup_that_ends_what_reads_it_is_refused_or_left_out(  # noqa: PLR0917
    fault: str,
    why: str,
    packed: bool,  # noqa: FBT001 - a parameter of the test
    sound: Path,
    target: Path,
    run_recover: Recover,
) -> None:
    bad = name_tar(sound.parent, packed=packed, called=fault)
    before = target.read_bytes()
    with pytest.raises(BackupUnreadable, match=rf"^{bad}: .*{why}") as refused:
        run_recover(target, bad, sound)
    assert refused.value.exit_code == BackupError.exit_code
    assert target.read_bytes() == before
    report = run_recover(target, bad, sound, skip_unreadable=True)
    assert count(target, "observations") == 4
    assert [(one.path, why in one.reason) for one in report.not_used] == [(str(bad), True)]


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_restore_from_what_ends_whatever_reads_it_is_refused(
    packed: bool,  # noqa: FBT001 - a parameter of the test
    target: Path,
    tmp_path: Path,
) -> None:
    bad = name_tar(tmp_path, packed=packed, called="segfault")
    before = target.read_bytes()
    with pytest.raises(BackupUnreadable, match=rf"^{bad}: {CRASHED}"):
        Vault(tmp_path).restore(str(bad))
    assert target.read_bytes() == before


@pytest.mark.usefixtures("faulty")
def test_raw_files_that_end_what_unpacks_them_are_a_finding(
    tmp_path: Path, run_recover: Recover
) -> None:
    made = database(tmp_path / "made" / "segfault.db", b"an invented receipt")
    put(made.parent / "sources", b"an invented receipt")
    with tarfile.open(tmp_path / "copies.tar", "w") as archive:
        archive.add(made, "segfault.db")
        archive.add(made.parent / "sources", "sources")
    (tmp_path / "data").mkdir()
    report = run_recover(tmp_path / "data" / "neotoma.db", tmp_path / "copies.tar")
    assert count(tmp_path / "data" / "neotoma.db", "observations") == 1
    assert any(CRASHED in str(finding) for finding in report.findings)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A database with a generated column that nobody has yet computed to the end."""
    path = make_database(tmp_path / "endless.db", {"observations": [observe(n) for n in range(3)]})
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = substr(rtrim(sql), 1, length(rtrim(sql)) - 1) || "
            "', endless AS (' || ? || ') NOT NULL)' WHERE name = 'observations'",
            (ENDLESS,),
        )
    return path


def test_a_backup_that_computes_for_ever_is_left_out(
    endless: Path, sound: Path, target: Path, tmp_path: Path
) -> None:
    why = "reading it took longer than 5 seconds"
    request = RecoverRequest(target, (endless, sound), tmp_path / "vault", skip_unreadable=True)
    with recovery_run(request, NOW, FEW) as run:
        report = recover(run, lambda _: True, Silent())
    assert [(one.path, one.reason) for one in report.not_used] == [(str(endless), why)]
    assert count(target, "observations") == 4


def test_a_restore_from_what_computes_for_ever_ends(endless: Path, target: Path) -> None:
    source = find_source(str(endless), endless.parent / "vault", target)
    with pytest.raises(BackupUnreadable, match=rf"^{endless}: reading it took longer than 5 sec"):
        unpack(source, endless.parent / "scratch", target, FEW)


def test_a_refused_restore_advises_nothing_that_it_cannot_do(target: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.db"
    bad.write_bytes(target.read_bytes()[:5000])
    with pytest.raises(BackupUnreadable, match=r"truncated.*; use another copy$"):
        Vault(tmp_path).restore(str(bad))
