"""A log on a remote, written again without what was erased, and what is left of the old one."""

import shutil
from pathlib import Path

import pytest

from neotoma_core.erasure.text import result_text
from neotoma_core.errors import RemoteDenied
from neotoma_core.offsite.rewrite_report import rewrite_text
from neotoma_core.remotes.copies import copy_log
from neotoma_core.remotes.remote import read_logs
from neotoma_core.report.progress import Silent
from tests.support import raw
from tests.support.archiving import log_of, rebuild
from tests.support.backing_up import fill
from tests.support.databases import entity, insert_all, make_database, observation, source
from tests.support.offsite import Refusing, Unreachable
from tests.support.remotes import Machine, copy_machine, memory_url

PRIVATE = "a-private-observation"


def machine_with(folder: Path, *, plain: bool = False) -> Machine:
    """Return a machine that pushed rows, a raw file, and a backup, and erased ``e2`` since."""
    database = folder / "neotoma.db"
    fill(database, 20)
    raw.put(folder / "sources", b"private")
    raw.put(folder / "sources", b"kept")
    sources = [
        source("p1", storage_url=raw.name_of(b"private"), content_hash="h1"),
        source("p2", storage_url=raw.name_of(b"kept"), content_hash="h2"),
    ]
    seen = [observation(PRIVATE, "e2", source_id="p1"), observation("kept", source_id="p2")]
    entities = [entity("e1"), entity("e2")]
    insert_all(database, {"entities": entities, "sources": sources, "observations": seen})
    made = Machine(folder, memory_url(), database, plain=plain)
    made.add()
    made.back_up()
    made.push()
    made.add_row("observations", observation("later"))
    made.push()
    made.erase("e2")
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return machine_with(tmp_path_factory.mktemp("made"))


@pytest.fixture
def machine(made: Machine, tmp_path: Path) -> Machine:
    return copy_machine(made, tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Machine:
    return machine_with(tmp_path, plain=True)


def rows_there(machine: Machine, folder: Path) -> object:
    """Return what the log of the remote says that the database holds."""
    remote = machine.remote()
    (log,) = read_logs(remote).values()
    folder.mkdir()
    copied = copy_log(remote, log, folder, frozenset(log.raw_files), Silent())
    return log_of(rebuild(copied.archive, folder / "back.db"))


def names_private(machine: Machine) -> set[str]:
    """Return the kinds of objects of a plain remote that name what was erased."""
    contents = machine.objects().items()
    return {name.partition("/")[0] for name, content in contents if PRIVATE.encode() in content}


def test_a_new_beginning_lacks_what_was_erased_and_has_all_else(
    machine: Machine, tmp_path: Path
) -> None:
    before = machine.objects()
    report = machine.rewrite()
    assert report.outcome == "rewritten"
    assert report.raw_files_left_out == 1
    assert report.versions["observations"] == 22
    assert rows_there(machine, tmp_path / "back") == log_of(machine.database)
    assert raw.names_in(tmp_path / "back" / "sources") == {raw.name_of(b"kept")}
    assert before.items() <= machine.objects().items()  # nothing was deleted
    assert {one.name.partition("/")[0] for one in report.old} == {"log", "blobs", "backups"}
    assert len(report.backups) == 1
    text = rewrite_text(report)
    assert f"{report.backups[0]} holds what was erased" in text
    assert "delete them with --delete" in text


def test_after_a_push_it_is_needed_all_the_same(plain: Machine) -> None:
    plain.push()
    assert "blobs" in names_private(plain)
    report = plain.rewrite(deletes=True)
    assert (report.outcome, report.raw_files_left_out) == ("rewritten", 1)
    assert names_private(plain) == set()
    assert raw.name_of(b"private") not in repr(plain.objects())


def test_a_backup_that_the_vault_no_longer_has_may_hold_it(machine: Machine) -> None:
    (taken,) = next(iter(read_logs(machine.remote()).values())).backups
    shutil.rmtree(machine.vault / "backups" / taken)
    clean = machine.back_up()
    machine.push()
    report = machine.rewrite(deletes=True)
    assert report.backups == (taken,)
    (log,) = read_logs(machine.remote()).values()
    assert list(log.backups) == [clean]
    assert machine.verify().outcome == "pass"


def test_what_only_another_machine_erased_is_reason_enough(tmp_path: Path) -> None:
    database = tmp_path / "one" / "neotoma.db"
    fill(database, 20)
    insert_all(database, {"entities": [entity("e2")], "observations": [observation(PRIVATE, "e2")]})
    shutil.copytree(database.parent, tmp_path / "other")
    one = Machine(database.parent, memory_url(), database, plain=True)
    other = Machine(tmp_path / "other", one.url, tmp_path / "other" / "neotoma.db", plain=True)
    for machine in (one, other):
        machine.add()
        machine.push()
    for table, column in (("observations", "entity_id"), ("entities", "id")):
        one.run(f"DELETE FROM {table} WHERE {column} = 'e2'")
    one.push()
    assert one.rewrite().outcome == "unchanged"
    other.erase("e2")
    other.push()
    one.pull()
    report = one.rewrite(deletes=True)
    assert report.outcome == "rewritten"
    assert one.rewrite(deletes=True).outcome == "unchanged"
    other.rewrite(deletes=True)
    assert names_private(one) == set()
    assert one.verify().outcome == "pass"


def test_again_it_writes_nothing_and_lists_the_same(machine: Machine) -> None:
    first = machine.rewrite()
    before = machine.objects()
    again = machine.rewrite()

    assert again.outcome == "unchanged"
    assert again.old == first.old
    assert machine.objects() == before


def test_without_an_erasure_there_is_nothing_to_do(tmp_path: Path) -> None:
    database = make_database(tmp_path / "neotoma.db", {"entities": [entity("e1")]})
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()
    machine.push()

    report = machine.rewrite(deletes=True)

    assert (report.outcome, report.old, report.deleted) == ("unchanged", (), 0)


def test_what_is_deleted_is_gone_and_everything_works_afterwards(
    plain: Machine, tmp_path: Path
) -> None:
    assert {"blobs", "log"} <= names_private(plain)

    report = plain.rewrite(deletes=True)

    assert (report.deleted > 0, report.old) == (True, ())
    assert names_private(plain) == set()
    assert all(b"private" not in content for content in plain.objects().values())
    assert plain.verify().outcome == "pass"
    assert plain.push().outcome == "unchanged"  # the backup that holds it is not shipped again
    plain.add_row("observations", observation("after"))
    assert plain.push().versions == {"observations": 1}
    assert rows_there(plain, tmp_path / "back") == log_of(plain.database)
    plain.restore(tmp_path / "restored" / "neotoma.db")
    assert log_of(tmp_path / "restored" / "neotoma.db") == log_of(plain.database)
    assert plain.verify().outcome == "pass"
    assert plain.rewrite(deletes=True).outcome == "unchanged"


def test_stopped_after_any_deletion_the_remote_is_whole_and_the_next_run_goes_on(
    machine: Machine, tmp_path: Path
) -> None:
    machine.rewrite()
    reader = Machine(tmp_path / "reader", machine.url, tmp_path / "reader" / "neotoma.db")
    reader.folder.mkdir()
    shutil.copyfile(machine.database, reader.database)
    reader.identities = machine.identities
    reader.add()
    reader.push()  # it has read all entries, and expects them to be there
    left = len(machine.rewrite().old)

    while left:
        machine.around = Refusing(machine.store, allowed=1)
        if left > 1:
            with pytest.raises(RemoteDenied):
                machine.rewrite(deletes=True)
        else:
            machine.rewrite(deletes=True)
        machine.around = None
        assert machine.verify(compares=False).outcome == "pass"
        assert len(read_logs(reader.remote())) == 2
        assert machine.push().outcome == "unchanged"
        left -= 1
        assert len(machine.rewrite().old) == left


def test_what_another_log_names_is_not_deleted(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    database = raw.database(folder / "neotoma.db", b"private")
    raw.put(folder / "sources", b"private")
    other = Machine(folder, machine.url, database, machine.identities)
    other.add()
    other.push(other_database=True, accept_loss=True)

    machine.rewrite(deletes=True)

    report = other.verify()
    assert (report.outcome, len(report.logs)) == ("pass", 2)


def test_a_pull_on_another_machine_works_after_it(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copyfile(machine.database, folder / "neotoma.db")
    other = Machine(folder, machine.url, folder / "neotoma.db", machine.identities)
    other.add()
    other.push()
    other.pull()
    machine.add_row("observations", observation("new"))
    machine.rewrite(deletes=True)

    other.pull()

    assert {name: sorted(map(repr, rows)) for name, rows in log_of(other.database).items()} == {
        name: sorted(map(repr, rows)) for name, rows in log_of(machine.database).items()
    }


def test_a_database_that_lost_much_is_not_made_the_new_beginning(machine: Machine) -> None:
    machine.run("DELETE FROM observations WHERE id <> 'kept'")
    before = machine.objects()

    report = machine.rewrite(deletes=True)

    assert report.outcome == "held"
    assert "held back" in rewrite_text(report)
    assert machine.objects() == before


def test_an_erasure_names_the_remotes_that_hold_it_until_they_are_rewritten(
    tmp_path: Path,
) -> None:
    """The entries that the vault keeps of a plain remote name observations; they are not data."""
    database = tmp_path / "neotoma.db"
    fill(database, 20)
    machine = Machine(tmp_path, memory_url(), database, plain=True)
    machine.add()
    machine.push()
    machine.around = Unreachable()

    erased = machine.erase("e0001")

    (held,) = [one for one in erased.holding if one.folder == machine.url]
    assert "remote rewrite there --erased" in held.remove
    assert str(machine.database) in held.remove
    assert not [one for one in erased.holding if "remotes" in one.folder]
    assert held.remove in result_text(erased)
    machine.around = None
    assert machine.url in {one.folder for one in machine.erase_again().holding}
    machine.rewrite()
    assert machine.url not in {one.folder for one in machine.erase_again().holding}


def test_an_erasure_names_no_remote_that_nothing_was_pushed_to(tmp_path: Path) -> None:
    database = tmp_path / "neotoma.db"
    fill(database, 20)
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()

    assert machine.url not in {one.folder for one in machine.erase("e0001").holding}


def test_a_transfer_that_broke_off_holds_what_is_erased(machine: Machine) -> None:
    left = machine.remote().cache / "transfers" / "rows"
    left.parent.mkdir()
    left.write_bytes(b'{"entity_id":"e0001"}')

    held = {one.folder for one in machine.erase("e0001").holding}

    assert str(left.parent) in held


def test_old_entries_that_are_gone_without_a_new_beginning_are_noticed(machine: Machine) -> None:
    first, *_ = [name for name in machine.objects() if name.startswith("log/")]
    machine.store.delete(first)

    assert machine.verify().is_damaged
