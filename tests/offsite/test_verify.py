"""What a verification of a remote finds: every fault that is planted, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.erased.hashed import ErasedIds, hash_ids
from neotoma_core.errors import IdentityWrong, RemoteForeign
from neotoma_core.offsite.verify_report import RemoteVerification, verification_text
from neotoma_core.push.push import shipments_of
from neotoma_core.push.rows import write_new_rows
from neotoma_core.push.shipping import Shipper
from neotoma_core.rebuild.rebuild import rebuild_snapshots
from neotoma_core.rebuild.request import RebuildRequest, rebuild_run
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.remote import read_logs
from neotoma_core.remotes.sealing import new_key
from neotoma_core.report.progress import Silent
from tests.support import raw
from tests.support.databases import entity, make_database, observation
from tests.support.remotes import Machine, copy_machine, memory_url


def machine_with(folder: Path, *, plain: bool = False) -> Machine:
    """Return a machine whose remote has objects of every kind: two pushes, a raw file, a backup."""
    database = raw.database(folder / "neotoma.db", b"one")
    raw.put(folder / "sources", b"one")
    made = Machine(folder, memory_url(), database, plain=plain)
    made.add()
    made.push()
    made.add_row("observations", observation("o2"))
    made.back_up()
    made.push()
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Machine]:
    """One whose remote is encrypted, and one whose remote is plain. Only copied."""
    return {
        plain: machine_with(tmp_path_factory.mktemp("m"), plain=plain) for plain in (False, True)
    }


@pytest.fixture(params=[False, True], ids=["encrypted", "plain"])
def machine(request: pytest.FixtureRequest, made: dict[bool, Machine], tmp_path: Path) -> Machine:
    return copy_machine(made[request.param], tmp_path)


@pytest.fixture
def sealed(made: dict[bool, Machine], tmp_path: Path) -> Machine:
    return copy_machine(made[False], tmp_path)


def kinds(report: RemoteVerification) -> set[str]:
    return {finding.kind for finding in report.findings}


def subjects_of(report: RemoteVerification, kind: str) -> set[str]:
    """Return what findings of a kind are about."""
    return {finding.subject for finding in report.findings if finding.kind == kind}


def test_a_remote_that_is_whole_passes(machine: Machine) -> None:
    report = machine.verify()

    assert (report.outcome, kinds(report)) == ("pass", {"snapshots-differ"})
    assert report.read == report.contents > 0
    assert report.objects == len(machine.objects())
    (log,) = report.logs
    assert (log.own, log.backups, log.built) == (True, 1, 4)
    assert report.compared is not None
    assert {t.table: t.both for t in report.compared} == {
        "sources": 1,
        "entities": 1,
        "observations": 2,
    }
    assert report.snapshots is not None
    assert report.snapshots.differing == 1  # the database of the test has none
    assert "every object is what was written" in verification_text(report)


def test_one_flipped_byte_in_any_object_is_found(machine: Machine) -> None:
    whole = machine.objects()
    assert {name.partition("/")[0] for name in whole} == {"midden.json", "log", "blobs", "backups"}
    assert machine.verify(compares=False).outcome == "pass"

    unnoticed = []
    for name, content in whole.items():
        for place in (len(content) // 2, len(content) - 1):
            changed = bytearray(content)
            changed[place] ^= 1
            machine.replace(name, bytes(changed))
            try:
                report = machine.verify(compares=False)
            except RemoteForeign:  # its id is another one
                assert name == "midden.json"
                continue
            if not (report.is_damaged and report.outcome == "fail"):
                unnoticed.append((name, place))
            assert name in {one.subject for one in report.findings}
        machine.replace(name, content)

    assert unnoticed == []
    assert machine.verify(compares=False).outcome == "pass"


def test_every_object_that_is_gone_is_found(machine: Machine) -> None:
    for name, content in machine.objects().items():
        machine.store.delete(name)
        report = machine.verify(compares=False)
        assert report.is_damaged, name
        assert name in subjects_of(report, "remote-missing") or name.startswith("log/")
        assert machine.store.create(name, content)


def test_the_last_entry_that_is_gone_is_found_by_who_read_it_before(machine: Machine) -> None:
    *_, last = [name for name in machine.objects() if name.startswith("log/")]
    machine.store.delete(last)

    assert subjects_of(machine.verify(), "remote-missing") == {last}


def test_a_log_that_is_gone_as_a_whole_is_found(machine: Machine) -> None:
    entries = [name for name in machine.objects() if name.startswith("log/")]
    for name in entries:
        machine.store.delete(name)

    report = machine.verify()

    assert subjects_of(report, "remote-missing") == set(entries)
    assert "not-compared" in kinds(report)


def test_an_entry_that_was_made_anew_is_found_by_who_read_the_one_before(sealed: Machine) -> None:
    *_, last = [name for name in sealed.objects() if name.startswith("log/")]
    sealing = sealed.remote().sealing
    body = sealing.open_entry(last, sealed.store.read(last))
    sealed.replace(last, sealing.seal_entry(body))

    assert subjects_of(sealed.verify(), "remote-replaced") == {last}


def test_what_is_nobodys_is_foreign_and_what_a_killed_push_left_is_not(machine: Machine) -> None:
    blob = f"blobs/ab/ab{'0' * 62}"
    machine.store.create(blob, b"of a push that was killed")

    left = machine.verify(compares=False)
    assert (left.outcome, kinds(left)) == ("pass", {"remote-leftover"})

    strange = ("holiday.jpg", "log/0123456789abcdef/readme", "blobs/ab/ff", "backups/x")
    for name in strange:
        machine.store.create(name, b"somebody else's")
    report = machine.verify(compares=False)
    assert (report.outcome, subjects_of(report, "remote-foreign")) == ("fail", set(strange))


def test_the_log_of_somebody_who_has_not_the_key_is_found(sealed: Machine, tmp_path: Path) -> None:
    database = make_database(tmp_path / "other" / "neotoma.db", {"entities": [entity("e1")]})
    other = Machine(tmp_path / "other", memory_url(), database)
    other.add()
    other.push()
    (theirs,) = [name for name in other.objects() if name.startswith("log/")]
    sealed.store.create(theirs, other.store.read(theirs))

    assert subjects_of(sealed.verify(), "remote-damaged") == {theirs}


def test_without_an_identity_it_is_inconclusive_and_what_is_gone_is_found(sealed: Machine) -> None:
    report = sealed.verify(reads=False)
    assert (report.outcome, report.read) == ("inconclusive", 0)
    assert "no identity was found" in verification_text(report)

    blob = next(name for name in sealed.objects() if name.startswith("blobs/"))
    sealed.store.delete(blob)
    assert subjects_of(sealed.verify(reads=False), "remote-missing") == {blob}


def test_an_identity_of_another_remote_is_refused(sealed: Machine) -> None:
    sealed.identities = (new_key(),)

    with pytest.raises(IdentityWrong):
        sealed.verify()


def test_another_remote_in_its_place_is_refused(sealed: Machine, tmp_path: Path) -> None:
    other = machine_with(tmp_path / "other")
    sealed.replace("midden.json", other.store.read("midden.json"))

    with pytest.raises(RemoteForeign):
        sealed.verify()


def test_a_sample_and_a_limit_are_inconclusive(machine: Machine) -> None:
    sample = machine.verify(sample=0.05)
    assert (sample.outcome, sample.read) == ("inconclusive", 1)
    assert sample.logs[0].built is None

    limited = machine.verify(max_duration=timedelta(0))
    assert limited.outcome == "inconclusive"
    assert "not reached in the time given" in verification_text(limited)

    whole = machine.verify(sample=1.0, max_duration=timedelta(hours=1))
    assert whole.outcome == "pass"


def test_a_damaged_object_outside_of_the_sample_does_not_hide_one_that_is_gone(
    machine: Machine,
) -> None:
    blob = next(name for name in machine.objects() if name.startswith("blobs/"))
    machine.store.delete(blob)

    assert machine.verify(sample=0.01).outcome == "fail"


def test_what_is_not_pushed_yet_is_told_and_is_no_fault(machine: Machine) -> None:
    machine.add_row("observations", observation("o3"))
    machine.run("DELETE FROM observations WHERE id = 'o2'")

    report = machine.verify()

    assert report.outcome == "pass"
    assert report.compared is not None
    rows = {t.table: (t.only_local, t.only_remote, t.lost) for t in report.compared}
    assert rows["observations"] == (1, 1, 0)
    assert rows["entities"] == (0, 0, 0)
    text = verification_text(report)
    assert "1 rows are new, or changed since the last push" in text
    assert "1 rows are on the remote only" in text


def test_a_log_that_lacks_rows_that_were_pushed_fails(machine: Machine, tmp_path: Path) -> None:
    """As a push with a mistake in it would leave it: all objects are what was written."""
    remote = machine.remote()
    (log,) = read_logs(remote).values()
    archive = open_archive(machine.vault / "archive")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    gone = ErasedIds(b"s" * 32, {"observations": frozenset({_hash("o2")})})
    rows = write_new_rows(archive, Log(log.writer), scratch, gone)
    blank = replace(log.entries[-1], parts=(), raw_files={}, backups=())
    shipper = Shipper(remote, log, blank, scratch, Silent())
    parts = tuple(part for part, _ in rows.parts)
    shipper.ship(
        shipments_of(remote, rows),
        begins=True,
        parts=parts,
        tables=rows.tables,
        raw_files=log.raw_files,
    )

    report = machine.verify()

    assert (report.outcome, report.is_damaged) == ("fail", False)
    assert subjects_of(report, "log-incomplete") == {"observations"}


def _hash(name: str) -> str:
    ((_, digest),) = hash_ids(b"s" * 32, "observations", [name])
    return digest


def test_snapshots_that_are_not_what_the_log_says_are_counted(sealed: Machine) -> None:
    asked = RebuildRequest(sealed.database, sealed.vault)
    with rebuild_run(asked, sealed.tick()) as run:
        rebuild_snapshots(run, lambda _: True, Silent())
    assert kinds(sealed.verify()) == set()

    sealed.run("UPDATE entity_snapshots SET snapshot = '{}'")
    report = sealed.verify()

    assert report.outcome == "pass"
    assert report.snapshots is not None
    assert (report.snapshots.stored, report.snapshots.differing) == (1, 1)
    assert "midden rebuild --check" in verification_text(report)


def test_it_leaves_neither_vault_nor_database_changed(machine: Machine) -> None:
    before = machine.database.read_bytes()
    cache = machine.remote().cache
    kept = sorted(cache.rglob("*"))

    machine.verify()

    assert machine.database.read_bytes() == before
    assert sorted(cache.rglob("*")) == kept
