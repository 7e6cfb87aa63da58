"""What a push ships, what it leaves alone, and what it holds back."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import RemoteForeign
from neotoma_core.remotes.copies import RemoteCopy, copy_log
from neotoma_core.remotes.remote import read_logs
from neotoma_core.report.progress import Silent
from tests.support import raw
from tests.support.archiving import log_of, rebuild
from tests.support.backing_up import fill
from tests.support.databases import entity, make_database, observation, source
from tests.support.remotes import Machine, memory_url


def small_database(folder: Path, observations: int = 2) -> Path:
    return make_database(
        folder / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation(f"o{number}") for number in range(observations)],
            "sources": [source("s1")],
        },
    )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path, memory_url(), small_database(tmp_path))
    made.add()
    return made


def bring(machine: Machine, folder: Path, raw_files: frozenset[str] = frozenset()) -> RemoteCopy:
    """Return what the only log of the remote holds."""
    remote = machine.remote()
    (log,) = read_logs(remote).values()
    folder.mkdir()
    return copy_log(remote, log, folder, raw_files, Silent())


def there(machine: Machine, folder: Path) -> object:
    """Return the rows that the only log of the remote says the database holds."""
    return log_of(rebuild(bring(machine, folder).archive, folder / "back.db"))


def test_what_was_pushed_comes_back_cell_for_cell(machine: Machine, tmp_path: Path) -> None:
    report = machine.push()

    assert report.outcome == "pushed"
    assert report.versions == {"sources": 1, "entities": 2, "observations": 2}
    assert there(machine, tmp_path / "back") == log_of(machine.database)


def test_nothing_new_writes_nothing_and_asks_once(machine: Machine) -> None:
    machine.push()
    before = {one.name for one in machine.store.list()}

    report = machine.push()

    assert report.outcome == "unchanged"
    assert {one.name for one in machine.store.list()} == before


def test_new_changed_and_removed_rows_arrive(machine: Machine, tmp_path: Path) -> None:
    machine.push()
    machine.add_row("observations", observation("back-dated", observed_at="2020-01-01T00:00:00Z"))
    machine.run("UPDATE entities SET canonical_name = 'other' WHERE id = 'e2'")
    machine.run("DELETE FROM observations WHERE id = 'o1'")

    report = machine.push()

    assert report.versions == {"entities": 1, "observations": 1, "removed_rows": 1}
    assert there(machine, tmp_path / "back") == log_of(machine.database)


def test_the_store_learns_no_table_no_content_and_no_hash(machine: Machine) -> None:
    machine.push()

    stored = {one.name: machine.store.read(one.name) for one in machine.store.list()}
    everything = b"\n".join([*map(str.encode, stored), *stored.values()])

    assert b"observations" not in everything
    assert b"o1" not in b"\n".join(map(str.encode, stored))
    assert b"PAR1" not in everything


def test_a_plain_remote_has_parquet_files_called_after_their_hash(tmp_path: Path) -> None:
    machine = Machine(tmp_path, memory_url(), small_database(tmp_path), plain=True)
    machine.add()

    machine.push()

    stored = {one.name: machine.store.read(one.name) for one in machine.store.list("blobs")}
    assert all(content.startswith(b"PAR1") for content in stored.values())
    assert len(stored) == 3


def test_raw_files_arrive_once_and_come_back(tmp_path: Path) -> None:
    database = raw.database(tmp_path / "neotoma.db", b"one", b"two")
    for content in (b"one", b"two"):
        raw.put(tmp_path / "sources", content)
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()

    assert machine.push().raw_files == 2
    raw.put(tmp_path / "sources", b"three")
    assert machine.push().raw_files == 1
    assert machine.push().raw_files == 0

    names = frozenset(raw.name_of(content) for content in (b"one", b"two", b"three"))
    bring(machine, tmp_path / "back", names)
    assert raw.names_in(tmp_path / "back" / "sources") == names


def test_a_sudden_loss_is_held_back(tmp_path: Path) -> None:
    database = make_database(tmp_path / "neotoma.db", {"entities": [entity("e1")]})
    fill(database, 60)
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()
    machine.push()
    kept = log_of(database)
    machine.run("DELETE FROM observations WHERE id <> (SELECT min(id) FROM observations)")

    report = machine.push()

    assert report.outcome == "held"
    assert report.alarms[0] == "observations: 1, usually 60"
    assert there(machine, tmp_path / "back") == kept
    assert machine.push(accept_loss=True).outcome == "pushed"
    assert there(machine, tmp_path / "after") == log_of(database)


def test_another_database_is_refused(machine: Machine, tmp_path: Path) -> None:
    machine.push()
    other = Machine(
        tmp_path / "other",
        machine.url,
        make_database(
            tmp_path / "other" / "neotoma.db",
            {"entities": [entity("x")], "observations": [observation(f"x{n}") for n in range(5)]},
        ),
        machine.identities,
    )
    other.add()
    before = {one.name for one in machine.store.list()}

    with pytest.raises(RemoteForeign, match="it holds another database"):
        other.push()

    assert {one.name for one in machine.store.list()} == before
    pushed = other.push(other_database=True, accept_loss=True)
    assert pushed.outcome == "pushed"


def test_a_vault_put_back_to_an_older_copy_begins_a_log_of_its_own(
    machine: Machine, tmp_path: Path
) -> None:
    machine.push()
    older = tmp_path / "older"
    (machine.vault / "archive").rename(older)
    shutil.copytree(older, machine.vault / "archive")
    machine.add_row("observations", observation("first"))
    machine.push()
    shutil.rmtree(machine.vault / "archive")
    older.rename(machine.vault / "archive")
    machine.add_row("observations", observation("second"))

    report = machine.push()

    logs = read_logs(machine.remote())
    assert len(logs) == 2
    assert report.writer in logs
    assert report.versions["observations"] == 4  # the whole log, since it is another one


def test_what_was_erased_is_in_no_later_log(tmp_path: Path) -> None:
    database = small_database(tmp_path)
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()
    machine.add_row("observations", observation("gone", "e2"))
    machine.push()
    erase_entities(machine, "e2")

    first = machine.push()
    another = replace(machine, url=memory_url())
    (machine.vault / "remotes.json").unlink()
    another.identities = ()
    (tmp_path / "there.identity").unlink()
    another.add()
    second = another.push()

    assert first.erasures == 3
    assert second.versions == {"sources": 1, "entities": 1, "observations": 2}
    assert there(another, tmp_path / "back") == log_of(database)


def test_scratch_is_left_nowhere(machine: Machine) -> None:
    machine.push()

    left = sorted(path.name for path in machine.remote().cache.iterdir())
    assert left == ["archived.json", "lock", "log", "standing.json"]


def test_a_database_that_is_as_it_was_is_not_read_again(machine: Machine) -> None:
    machine.push()
    machine.push()
    opened: list[str] = []
    sys.addaudithook(lambda event, words: opened.append(str(words[0])) if event == "open" else None)

    machine.push()
    assert str(machine.database) not in opened
    times = machine.database.stat()
    machine.run("UPDATE entities SET canonical_name = 'E1' WHERE id = 'e1'")
    os.utime(machine.database, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert machine.push().versions == {"entities": 1}


def erase_entities(machine: Machine, *entities: str) -> None:
    asked = EraseRequest(machine.database, machine.vault, entities=entities)
    with erase_run(asked, machine.tick()) as run:
        erase(run, lambda _: True, Silent())


def test_what_was_erased_is_no_loss(tmp_path: Path) -> None:
    database = make_database(
        tmp_path / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation(f"o{n}", "e2" if n else "e1") for n in range(60)],
        },
    )
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()
    machine.push()

    erase_entities(machine, "e2")

    assert machine.push().outcome == "pushed"
    machine.run("DELETE FROM observations")
    assert machine.push().outcome == "held"


def test_an_erasure_is_shipped_also_where_the_database_is_held_back(tmp_path: Path) -> None:
    database = make_database(
        tmp_path / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation(f"o{n}", "e1") for n in range(60)],
        },
    )
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()
    machine.push()
    erase_entities(machine, "e2")
    machine.run("DELETE FROM observations")

    report = machine.push()

    assert (report.outcome, report.erasures) == ("held", 3)
    (log,) = read_logs(machine.remote()).values()
    assert len(log.erasures) == 3
    assert log.tables["observations"].rows == 60
