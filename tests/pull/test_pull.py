"""Two machines with one memory: they push, they pull, and end with the same log and state."""

import shutil
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.report.progress import Silent
from tests.support.archiving import log_of
from tests.support.databases import entity, make_database, observation, read_all, source
from tests.support.remotes import Machine, memory_url

Machines = tuple[Machine, Machine]


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    """Two machines whose databases began as one."""
    one = make_database(
        tmp_path / "one" / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation(f"o{number}") for number in range(4)],
            "sources": [source("s1")],
        },
    )
    other = tmp_path / "other" / "neotoma.db"
    other.parent.mkdir()
    shutil.copyfile(one, other)
    url = memory_url()
    first = Machine(tmp_path / "one", url, one)
    first.add()
    second = Machine(tmp_path / "other", url, other, first.identities)
    second.add()
    first.push()
    second.push()
    return first, second


def exchange(machines: Machines) -> None:
    """Let each push and pull until nobody has anything new."""
    for _ in range(2):
        for machine in machines:
            machine.push()
        for machine in machines:
            machine.pull()


def as_rows(database: Path) -> dict[str, list[str]]:
    """Return the log and the snapshots, in no order, without what says when they were computed."""
    rows = {table: sorted(map(repr, cells)) for table, cells in log_of(database).items()}
    snapshots = read_all(database)["entity_snapshots"]
    rows["entity_snapshots"] = sorted(repr(row[:4]) for row in snapshots)
    return rows


def test_what_each_added_is_on_both(machines: Machines) -> None:
    one, other = machines
    one.add_row("observations", observation("from-one"))
    other.add_row("observations", observation("from-other", "e2"))

    exchange(machines)

    assert as_rows(one.database) == as_rows(other.database)
    assert {b"from-one", b"from-other"} <= {
        row[0] for row in read_all(one.database)["observations"]
    }


def test_of_a_row_that_one_changed_the_newer_version_is_kept_on_both(machines: Machines) -> None:
    one, other = machines
    other.run("UPDATE entities SET canonical_name = 'renamed' WHERE id = 'e1'")

    exchange(machines)

    assert as_rows(one.database) == as_rows(other.database)
    assert "renamed" in repr(read_all(one.database)["entities"])


def test_of_a_row_that_both_changed_both_keep_the_same(machines: Machines) -> None:
    one, other = machines
    one.run("UPDATE entities SET canonical_name = 'by one' WHERE id = 'e1'")
    other.run("UPDATE entities SET canonical_name = 'by other' WHERE id = 'e1'")

    exchange(machines)

    assert as_rows(one.database) == as_rows(other.database)


def test_what_one_erased_the_other_erases_and_does_not_bring_back(machines: Machines) -> None:
    one, other = machines
    one.add_row("observations", observation("private", "e2"))
    exchange(machines)
    asked = EraseRequest(one.database, one.vault, entities=("e2",))
    with erase_run(asked, one.tick()) as run:
        erase(run, lambda _: True, Silent())

    exchange(machines)

    assert as_rows(one.database) == as_rows(other.database)
    for machine in machines:
        assert "private" not in repr(read_all(machine.database))
        assert "'e2'" not in repr(read_all(machine.database)["entities"])


def test_a_pull_where_nobody_else_pushed_changes_nothing(tmp_path: Path) -> None:
    database = make_database(tmp_path / "neotoma.db", {"entities": [entity("e1")]})
    machine = Machine(tmp_path, memory_url(), database)
    machine.add()
    machine.push()
    before = database.read_bytes()

    assert machine.pull().outcome == "unchanged"
    assert database.read_bytes() == before
