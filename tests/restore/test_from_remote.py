"""Raw files of a database that is built from the log of a remote."""

from pathlib import Path

import pytest

from neotoma_core.pull.sources import CopyRequest, remote_copies
from neotoma_core.remotes.remote import read_logs
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.restore.report import ArchiveRestoreReport, text_after
from tests.support import raw
from tests.support.remotes import Machine, memory_url


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that pushed two raw files, of three that its database names."""
    folder = tmp_path / "one"
    database = raw.database(folder / "neotoma.db", b"one", b"two", b"nowhere")
    for content in (b"one", b"two"):
        raw.put(folder / "sources", content)
    made = Machine(folder, memory_url(), database)
    made.add()
    made.push()
    return made


def restore(machine: Machine, target: Path, *, agrees: bool = True) -> ArchiveRestoreReport:
    """Build a database from the remote, on a machine that has nothing."""
    target.parent.mkdir(exist_ok=True)
    remote = machine.remote()
    logs = read_logs(remote)
    with remote_copies(CopyRequest(target, machine.vault), remote, logs, Silent()) as copies:
        asked = RestoreArchiveRequest(copies[0].archive, target, target.parent / "vault")
        return restore_archive(asked, machine.tick(), lambda _: agrees, Silent())


def test_raw_files_come_back_with_the_database(machine: Machine, tmp_path: Path) -> None:
    target = tmp_path / "new" / "neotoma.db"

    report = restore(machine, target)

    assert raw.names_in(target.parent / "sources") == {raw.name_of(b"one"), raw.name_of(b"two")}
    assert (report.raw_files_restored, report.raw_files_missing) == (2, 1)
    assert report.raw_folder == str(target.parent / "sources")
    text = text_after(report)
    assert "2 came back" in text
    assert "1 that the database names are missing" in text


def test_raw_files_that_are_there_stay_and_are_not_brought_again(
    machine: Machine, tmp_path: Path
) -> None:
    target = tmp_path / "new" / "neotoma.db"
    there = raw.put(target.parent / "sources", b"one")
    before = there.stat().st_mtime_ns

    report = restore(machine, target)

    assert report.raw_files_restored == 1
    assert there.stat().st_mtime_ns == before


def test_a_plan_brings_no_raw_file(machine: Machine, tmp_path: Path) -> None:
    target = tmp_path / "new" / "neotoma.db"

    report = restore(machine, target, agrees=False)

    assert (report.outcome, report.raw_files_restored) == ("planned", 0)
    assert not (target.parent / "sources").exists()


def test_a_raw_file_that_was_erased_since_does_not_come_back(
    machine: Machine, tmp_path: Path
) -> None:
    machine.run("UPDATE observations SET source_id = 's0'")
    machine.push()
    machine.erase("e1")
    machine.push()
    target = tmp_path / "new" / "neotoma.db"

    restore(machine, target)

    assert raw.name_of(b"one") not in raw.names_in(target.parent / "sources")
