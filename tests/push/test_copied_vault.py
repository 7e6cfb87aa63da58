"""Two live copies of one vault on one remote: each has a log of its own, begun once and kept."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.archive_tables.record import Record
from neotoma_core.push.report import PushReport
from neotoma_core.remotes.log import Log, following_writer
from neotoma_core.remotes.own import choose_log
from neotoma_core.remotes.remote import read_logs
from tests.pull.test_pull import as_rows, exchange
from tests.push.test_interleaving import ids_of, machine_of
from tests.support.databases import observation
from tests.support.remotes import Machine, memory_url

TURNS = 10
Copies = tuple[Machine, Machine]


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    """A machine that pushed once, and a copy of all of it, file by file."""
    one = machine_of(tmp_path / "one", memory_url())
    one.add()
    one.push()
    return one, copy_machine(one, tmp_path / "other")


def copy_machine(machine: Machine, folder: Path) -> Machine:
    """Copy a machine, vault and all; no two clocks are alike."""
    shutil.copytree(machine.folder, folder)
    now = machine.now + timedelta(seconds=1)
    return replace(machine, folder=folder, database=folder / "neotoma.db", now=now)


def in_turn(copies: Copies) -> list[PushReport]:
    return [machine.push() for machine in copies]


def at_once(copies: Copies) -> list[PushReport]:
    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(lambda machine: machine.push(), copies))


@pytest.mark.parametrize("pushes", [in_turn, at_once])
def test_each_copy_begins_a_log_once_and_keeps_it(
    copies: Copies, pushes: Callable[[Copies], list[PushReport]], tmp_path: Path
) -> None:
    writers: list[list[str]] = []
    for turn in range(TURNS):
        for machine in copies:
            machine.add_row("observations", observation(f"{machine.folder.name}-{turn}"))
        writers.append([report.writer for report in pushes(copies)])

    assert writers == [writers[0]] * TURNS
    logs = read_logs(copies[0].remote())
    assert logs.keys() == set(writers[0])
    assert len(logs) == len(copies)
    for machine, writer in zip(copies, writers[0], strict=True):
        own = {f"{machine.folder.name}-{turn}" for turn in range(TURNS)}
        begun = {f"o{number}" for number in range(4)}
        assert sorted(ids_of(machine.remote(), logs[writer], tmp_path)) == sorted(own | begun)
    assert [machine.push().outcome for machine in copies] == ["unchanged"] * len(copies)

    exchange(copies)

    assert as_rows(copies[0].database) == as_rows(copies[1].database)
    assert len(read_logs(copies[0].remote())) == len(copies)


def test_a_copy_that_has_nothing_new_begins_no_second_log(copies: Copies) -> None:
    one, other = copies
    one.add_row("observations", observation("new"))
    one.push()

    reports = [other.push() for _ in range(3)]

    assert [report.outcome for report in reports] == ["pushed", "unchanged", "unchanged"]
    assert one.push().outcome == "unchanged"
    one.add_row("observations", observation("newer"))
    assert one.push().writer != reports[0].writer
    assert len(read_logs(one.remote())) == 2


def test_a_third_copy_begins_a_third_log(copies: Copies, tmp_path: Path) -> None:
    for machine in copies:
        machine.add_row("observations", observation(machine.folder.name))
    first = [machine.push().writer for machine in copies]
    third = copy_machine(copies[1], tmp_path / "third")

    found = set()
    for turn in range(3):
        for machine in (*copies, third):
            machine.add_row("observations", observation(f"{machine.folder.name}-{turn}"))
            found.add(machine.push().writer)

    assert found > set(first)
    assert len(found) == len(read_logs(third.remote())) == 3


def test_a_log_of_another_archive_is_never_continued() -> None:
    logs = {"ab": Log("ab"), "cd": Log("cd")}
    chosen = choose_log(logs, Record("ef"), lambda _: True)
    assert chosen == Log("ef")
    begun = choose_log(logs, Record("cd"), lambda _: False)
    assert begun == Log(following_writer("cd", ""))
