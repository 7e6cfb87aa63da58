"""Objects that no entry names: condemned, avoided by pushes, and deleted a grace later."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.errors import RemoteDenied, RemoteUnreachable, UsageError
from neotoma_core.offsite.prune_report import prune_text
from neotoma_core.remotes.copies import copy_log
from neotoma_core.remotes.names import fresh_name
from neotoma_core.remotes.remote import read_logs
from neotoma_core.report.progress import Silent
from neotoma_core.stores.opening import open_store
from neotoma_core.stores.store import Content, StoredObject, Told, untold
from neotoma_core.stores.wrapped import Wrapped
from tests.support import raw
from tests.support.databases import entity, observation
from tests.support.offsite import Clocked, Refusing
from tests.support.remotes import Machine, memory_url

FIRST, NEW = b"first", b"new"


@pytest.fixture
def store() -> Clocked:
    return Clocked(open_store(memory_url()))


@pytest.fixture
def machine(tmp_path: Path, store: Clocked) -> Machine:
    """A machine that pushed once, and whose next push, of a raw file, was killed."""
    database = raw.database(tmp_path / "neotoma.db", FIRST, NEW)
    raw.put(tmp_path / "sources", FIRST)
    made = Machine(tmp_path, store.url, database, around=store)
    made.add()
    made.push()
    raw.put(tmp_path / "sources", NEW)
    kill_push(made, store)
    return made


def kill_push(machine: Machine, store: Clocked) -> None:
    """Let a push end right before its entry."""

    def die() -> None:
        raise RemoteUnreachable("memory", "killed")

    store.before_entry = die
    with suppress(RemoteUnreachable):
        machine.push()


def count_unnamed(machine: Machine) -> int:
    """Return how many objects no entry names."""
    found = [one for one in machine.verify().findings if one.kind == "remote-leftover"]
    return int(found[0].subject.split()[0]) if found else 0


def raw_files_of(machine: Machine, to: Path) -> set[str]:
    """Return the raw files that come back of the remote, each proven by its hash."""
    remote = machine.remote()
    for writer, log in read_logs(remote).items():
        (to / writer).mkdir(parents=True)
        copy_log(remote, log, to / writer, log.raw_files.keys(), Silent())
    return set().union(*(raw.names_in(folder) for folder in to.glob("*/sources")))


def test_what_nothing_names_is_condemned_first_and_deleted_a_grace_later(
    machine: Machine, store: Clocked
) -> None:
    before = machine.objects()
    assert count_unnamed(machine) == 1
    assert machine.prune(agrees=False).condemned == 1
    assert machine.objects() == before

    first = machine.prune()
    again = machine.prune()
    store.later(days=6)
    machine.now += timedelta(days=6)
    early = machine.prune()
    store.later(days=1, seconds=1)
    machine.now += timedelta(days=1)
    last = machine.prune()

    assert (first.outcome, first.condemned, first.objects) == ("pruned", 1, 0)
    assert "1 objects, 0.0 MB: condemned" in prune_text(first)
    assert (again.outcome, again.condemned, again.waiting) == ("unchanged", 0, 1)
    assert "1 condemned objects, until" in prune_text(again)
    assert (early.outcome, early.waiting) == ("unchanged", 1)
    assert (last.outcome, last.unnamed, last.objects) == ("pruned", 1, 1)
    (log,) = read_logs(machine.remote()).values()
    assert before.keys() - machine.objects().keys() == set(log.condemned)
    assert count_unnamed(machine) == 0
    assert machine.push().outcome == "pushed"
    assert machine.verify().outcome == "pass"


def test_a_wrong_clock_of_this_machine_makes_no_grace_shorter(
    machine: Machine, store: Clocked
) -> None:
    machine.prune()
    machine.now += timedelta(days=365)
    report = machine.prune()
    assert (report.outcome, report.waiting) == ("unchanged", 1)
    assert count_unnamed(machine) == 1
    store.later(days=8)
    assert machine.prune().unnamed == 1


@pytest.mark.parametrize("plain", [False, True])
def test_a_push_ships_what_is_condemned_under_another_name(
    *, plain: bool, tmp_path: Path, store: Clocked
) -> None:
    database = raw.database(tmp_path / "neotoma.db", FIRST, NEW)
    raw.put(tmp_path / "sources", FIRST)
    machine = Machine(tmp_path, store.url, database, around=store, plain=plain)
    machine.add()
    machine.push()
    raw.put(tmp_path / "sources", NEW)
    kill_push(machine, store)
    machine.prune()

    machine.push()
    store.later(days=8)
    machine.now += timedelta(days=8)
    report = machine.prune()

    assert report.unnamed == 1
    (log,) = read_logs(machine.remote()).values()
    (name,) = log.condemned
    assert log.renamed == {name: fresh_name(name, 1)}
    assert name not in machine.objects()
    assert machine.verify().outcome == "pass"
    assert raw_files_of(machine, tmp_path / "back") == {raw.name_of(FIRST), raw.name_of(NEW)}


def test_a_fresh_name_that_is_condemned_too_is_not_taken(
    machine: Machine, store: Clocked, tmp_path: Path
) -> None:
    machine.prune()
    kill_push(machine, store)
    machine.prune()

    machine.push()
    store.later(days=8)
    machine.now += timedelta(days=8)

    assert machine.prune().unnamed == 2
    (log,) = read_logs(machine.remote()).values()
    first, second = sorted(log.condemned, key=lambda name: name in log.renamed.values())
    assert {fresh_name(first, 1), fresh_name(second, 1)} & {first, second}
    assert machine.verify().outcome == "pass"
    assert raw_files_of(machine, tmp_path / "back") == {raw.name_of(FIRST), raw.name_of(NEW)}


@pytest.mark.parametrize("deletes", [False, True])
def test_a_push_that_names_what_was_condemned_meanwhile_loses_nothing(
    *, deletes: bool, machine: Machine, store: Clocked, tmp_path: Path
) -> None:
    """The push has shipped, or found, its contents; before it looks again they are condemned."""
    other = join_remote(machine, tmp_path / "other")
    looks = LooksAgain(store, lambda: prune_all(other, store, deletes=deletes))
    machine.around = looks

    assert machine.push().outcome == "pushed"

    assert looks.happened
    machine.around = store
    prune_all(other, store, deletes=True)
    assert machine.verify().outcome == "pass"
    assert raw_files_of(machine, tmp_path / "back") == {raw.name_of(FIRST), raw.name_of(NEW)}


class LooksAgain(Wrapped):
    """A store in which something happens once contents were shipped, before the last look."""

    def __init__(self, store: Clocked, act: Callable[[], object]) -> None:
        super().__init__(store)
        self._act = act
        self._shipped = False
        self.happened = False

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        self._shipped |= name.startswith("blobs/")
        return super().create(name, content, told)

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        if self._shipped and not self.happened:
            self.happened = True
            self._act()
        return super().list(prefix, after)


def prune_all(machine: Machine, store: Clocked, *, deletes: bool) -> None:
    """Condemn what nothing names; ``deletes``: and delete it a grace later."""
    machine.prune()
    if deletes:
        store.later(days=8)
        machine.now += timedelta(days=8)
        machine.prune()


def test_what_an_entry_names_after_all_is_never_deleted(
    machine: Machine, store: Clocked, tmp_path: Path
) -> None:
    """The push had looked for the last time when its contents were condemned."""
    other = join_remote(machine, tmp_path / "other")
    store.before_entry = lambda: prune_all(other, store, deletes=False)
    machine.push()
    store.later(days=30)
    other.now += timedelta(days=30)

    report = other.prune()

    assert (report.unnamed, report.waiting) == (0, 0)
    assert machine.verify().outcome == "pass"
    assert raw_files_of(machine, tmp_path / "back") == {raw.name_of(FIRST), raw.name_of(NEW)}


def join_remote(machine: Machine, folder: Path) -> Machine:
    """Return another machine that pushes to the same remote."""
    database = raw.database(folder / "neotoma.db", FIRST)
    other = Machine(folder, machine.url, database, machine.identities, around=machine.around)
    other.add()
    other.push()
    return other


def test_where_nobody_may_delete_that_is_said_and_what_is_condemned_stays_so(
    machine: Machine, store: Clocked
) -> None:
    machine.around = Refusing(store)
    assert machine.prune().condemned == 1
    store.later(days=8)
    machine.now += timedelta(days=8)
    with pytest.raises(RemoteDenied, match="1 objects that are to go are still there"):
        machine.prune()
    machine.around = store
    assert machine.prune().unnamed >= 1


def test_nothing_is_condemned_where_a_log_is_gone_whose_backups_are_there(
    machine: Machine, tmp_path: Path
) -> None:
    other = join_remote(machine, tmp_path / "other")
    other.back_up()
    writer = other.push().writer
    for name in [name for name in machine.objects() if name.startswith(f"log/{writer}/")]:
        machine.store.delete(name)

    report = machine.prune()

    assert (report.condemned, report.outcome) == (0, "unchanged")
    assert f"the log {writer} is not there" in prune_text(report)


def test_what_is_not_midden_s_is_never_condemned(machine: Machine) -> None:
    machine.push()
    machine.store.create("holiday.jpg", b"sea")
    report = machine.prune()
    assert (report.condemned, report.outcome) == (0, "unchanged")
    assert "holiday.jpg" in machine.objects()


def test_a_grace_as_short_as_a_push_is_refused(machine: Machine) -> None:
    with pytest.raises(UsageError, match="--grace: shorter than an hour"):
        machine.prune(grace=timedelta(minutes=59))


def test_a_rewritten_log_still_knows_what_is_condemned_and_renamed(
    machine: Machine, tmp_path: Path
) -> None:
    machine.prune()
    machine.add_row("entities", entity("e2"))
    machine.add_row("observations", observation("private", "e2"))
    machine.push()
    (before,) = read_logs(machine.remote()).values()
    machine.erase("e2")

    assert machine.rewrite(deletes=True).outcome == "rewritten"

    (log,) = read_logs(machine.remote()).values()
    assert len(log.entries) == 1
    assert (log.condemned, log.renamed) == (before.condemned, before.renamed)
    assert log.renamed
    assert machine.verify().outcome == "pass"
    assert raw_files_of(machine, tmp_path / "back") == {raw.name_of(FIRST), raw.name_of(NEW)}
