"""A pull downloads what is new since the last one; what it kept is checked, and never trusted."""

from pathlib import Path

import pytest

from neotoma_core.pull.pull import others_of
from neotoma_core.remotes.remote import read_logs
from neotoma_core.stores.store import Told, untold
from neotoma_core.stores.wrapped import Wrapped
from tests.pull.test_pull import Machines
from tests.support.archiving import log_of
from tests.support.databases import entity, make_database, observation
from tests.support.remotes import Machine, memory_url


class Noting(Wrapped):
    """A store that notes what is downloaded."""

    downloaded: list[str]

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        self.downloaded.append(name)
        super().download(name, to, told)


@pytest.fixture(params=["sealed", "plain"])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Machines:
    """Two machines with one memory; the second has pulled once."""
    url, plain = memory_url(), request.param == "plain"
    found: list[Machine] = []
    for name in ("one", "other"):
        tables = {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation(f"o{number}") for number in range(4)],
        }
        database = make_database(tmp_path / name / "neotoma.db", tables)
        machine = Machine(tmp_path / name, url, database, plain=plain)
        machine.identities = found[0].identities if found else ()
        machine.add()
        machine.push()
        found.append(machine)
    one, other = found
    other.around = Noting(other.store)
    pull(other)
    return one, other


def pull(machine: Machine) -> list[str]:
    """Pull; return what was downloaded."""
    machine.around.downloaded = []
    machine.pull()
    downloaded: list[str] = machine.around.downloaded
    return downloaded


def list_kept(machine: Machine) -> list[Path]:
    return sorted(machine.vault.glob("remotes/*/parts/*"))


def test_only_what_is_new_is_downloaded(machines: Machines) -> None:
    one, other = machines
    assert pull(other) == []
    one.add_row("observations", observation("new"))
    one.push()

    assert len(pull(other)) == 1
    assert pull(other) == []
    assert log_of(one.database) == log_of(other.database)


@pytest.mark.parametrize("harm", ["flipped", "another"])
def test_what_is_kept_and_is_not_as_it_was_is_downloaded_again(
    harm: str, machines: Machines
) -> None:
    one, other = machines
    first, second, *_ = list_kept(other)
    content = first.read_bytes()
    harmed = {
        "flipped": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        "another": second.read_bytes(),
    }
    first.write_bytes(harmed[harm])
    one.add_row("observations", observation("new"))
    one.push()

    assert len(pull(other)) == 2
    assert log_of(one.database) == log_of(other.database)
    assert pull(other) == []


def test_rows_that_are_gone_here_come_back_of_what_is_kept(machines: Machines) -> None:
    one, other = machines
    other.run("DELETE FROM observations WHERE id = 'o3'")
    assert pull(other) == []
    assert log_of(one.database) == log_of(other.database)


def test_nothing_that_was_erased_is_kept(machines: Machines) -> None:
    one, other = machines
    one.add_row("observations", observation("private", "e2"))
    one.push()
    pull(other)
    assert list_kept(other)

    other.erase("e2")
    assert list_kept(other) == []
    pull(other)

    entities, observations = parts_with(other, "entities"), parts_with(other, "observations")
    assert (entities, observations) == (0, 1)  # of two that hold observations, one is clean
    assert "private" not in repr(log_of(other.database))


def parts_with(machine: Machine, table: str) -> int:
    """Return how many parts of a table are kept, by what the entries say."""
    names = {path.name for path in list_kept(machine)}
    (log,) = others_of(read_logs(machine.remote()), machine.vault).values()
    return sum(part.table == table and part.content.sha256 in names for part in log.parts)


def test_what_no_log_names_is_kept_no_longer(machines: Machines) -> None:
    one, other = machines
    before = list_kept(other)
    one.add_row("observations", observation("private", "e2"))
    one.erase("e2")
    one.rewrite()

    pull(other)  # and erase, which keeps nothing
    pull(other)

    (log,) = others_of(read_logs(other.remote()), other.vault).values()
    assert {path.name for path in list_kept(other)} == {part.content.sha256 for part in log.parts}
    assert set(before) - set(list_kept(other))  # as that of entities, which had the erased one
