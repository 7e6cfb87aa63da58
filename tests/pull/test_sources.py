"""Which log of a remote is meant where none is named."""

import shutil
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.pull.pull import others_of
from neotoma_core.pull.sources import choose_log
from neotoma_core.remotes.remote import read_logs
from tests.support.databases import entity, make_database, observation
from tests.support.remotes import Machine, memory_url


@pytest.fixture
def put_back(tmp_path: Path) -> Machine:
    """A machine whose vault was put back to an older copy of itself, and went on from there."""
    tables = {"entities": [entity("e1")], "observations": [observation("o1")]}
    machine = Machine(tmp_path, memory_url(), make_database(tmp_path / "neotoma.db", tables))
    machine.add()
    machine.push()
    older = shutil.copytree(machine.vault / "archive", tmp_path / "older")
    machine.add_row("observations", observation("first"))
    machine.push()
    shutil.rmtree(machine.vault / "archive")
    shutil.move(older, machine.vault / "archive")
    machine.add_row("observations", observation("second"))
    return machine


def test_the_log_that_the_archive_continues_is_its_own(put_back: Machine) -> None:
    current = put_back.push().writer
    chosen = choose_log(put_back.remote(), put_back.vault, None)
    assert list(chosen) == [current]
    assert chosen[current].tables["observations"].rows == 3


def test_the_log_it_continued_before_is_pulled_as_another(put_back: Machine) -> None:
    current = put_back.push().writer
    logs = read_logs(put_back.remote())
    assert others_of(logs, put_back.vault).keys() == logs.keys() - {current}
    assert len(logs) == 2


def test_a_machine_that_has_no_log_there_has_to_say_which(put_back: Machine) -> None:
    put_back.push()
    with pytest.raises(UsageError, match="it has 2 logs, of as many machines"):
        choose_log(put_back.remote(), put_back.folder / "nowhere", None)
