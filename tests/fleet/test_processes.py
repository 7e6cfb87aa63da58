"""Processes of a fleet: a crash costs one database, and none outlives whoever started it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.errors import ProcessLost
from neotoma_core.fleet.processes import ProcessHand
from neotoma_core.fleet.task import FleetTask
from tests.conftest import NOW
from tests.support.fleets import small_fleet

PARENT = """
import sys
from pathlib import Path
from neotoma_core.fleet.processes import ProcessHand
from tests.fleet.test_processes import Telling, status_of
if __name__ == "__main__":
    hand = ProcessHand()
    hand.do(Telling.of(status_of(Path(sys.argv[1]))), number=1, last=True)
"""


class Deadly(str):
    """A name that crashes the process it is sent to, as a library on damaged input may."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, ...]:
        return os.abort, ()


class Telling(str):
    """A name that has the process it is sent to say its number, and wait."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, ...]:
        return tell_and_wait, (str(self),)

    @staticmethod
    def of(task: FleetTask) -> FleetTask:
        return replace(task, name=Telling(task.file.with_name("pid")))


def tell_and_wait(file: str) -> str:
    place = Path(file)
    place.with_suffix(".new").write_text(str(os.getpid()))
    place.with_suffix(".new").rename(place)
    threading.Event().wait()
    return file


def status_of(folder: Path) -> FleetTask:
    world = folder / "a"
    target = world / "data" / "neotoma.prod.db"
    return FleetTask("status", "a", target, world / "vault", folder / "midden.toml", NOW)


@pytest.fixture
def hand() -> Iterator[ProcessHand]:
    made = ProcessHand()
    yield made
    made.end()


@pytest.fixture
def task(tmp_path: Path) -> FleetTask:
    small_fleet(tmp_path, ["a"])
    return status_of(tmp_path)


def test_a_process_does_task_after_task(hand: ProcessHand, task: FleetTask) -> None:
    first, second = (hand.do(task, number=number, last=True) for number in (1, 2))
    assert (first.name, first.attempts, second.attempts) == ("a", 1, 2)
    assert "no backup was ever taken" in first.said


def test_a_crash_costs_its_database_alone(hand: ProcessHand, task: FleetTask) -> None:
    with pytest.raises(ProcessLost, match="was ended by SIGABRT") as lost:
        hand.do(replace(task, name=Deadly("x")), number=1, last=True)
    assert lost.value.exit_code == 45
    assert hand.do(task, number=1, last=True).name == "a"


def appear(place: Path) -> int:
    """Return the number that a process wrote."""
    end = time.monotonic() + 120
    while not place.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return int(place.read_text())


def is_there(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path, task: FleetTask) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, program, tmp_path],
        env={**os.environ, "PYTHONPATH": str(root)},  # noqa: TID251 - a child's
    )
    child = appear(task.file.with_name("pid"))
    assert is_there(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    end = time.monotonic() + 60
    while is_there(child):
        assert time.monotonic() < end, "it outlived the process that started it"
        time.sleep(0.02)


def test_one_that_is_ended_while_it_works_lets_go_of_whoever_waits(
    hand: ProcessHand, task: FleetTask
) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            hand.do(Telling.of(task), number=1, last=True)
        except BaseException as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    waiting = threading.Thread(target=work)
    waiting.start()
    child = appear(task.file.with_name("pid"))
    hand.end()
    waiting.join(60)
    assert not is_there(child)
    assert not isinstance(failed[0], ProcessLost), "nobody hears of a run that somebody stopped"
