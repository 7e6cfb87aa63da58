"""A process that reads rows, started before what asks it is loaded."""

import sys
from pathlib import Path

import psutil
import pytest

from neotoma_core.comparison.holdings import Coder
from neotoma_core.errors import FileUnusable
from neotoma_core.workers import ahead
from neotoma_core.workers.ahead import start_ahead
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.process import Task, WorkerProcess
from neotoma_core.workers.reading import examine_apart
from neotoma_core.workers.setting import Setting
from tests.support.databases import make_database
from tests.support.proven import observe

NEOTOMA = {"observations": [observe(n) for n in range(3)]}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[WorkerProcess]:
    """What is started in this test, newest last; all of it is ended again."""
    made: list[WorkerProcess] = []

    class Noted(WorkerProcess):
        def __init__(self, setting: bytes, scratch: Path | None, *, of_rows: bool) -> None:
            super().__init__(setting, scratch, of_rows=of_rows)
            made.append(self)

    monkeypatch.setattr(ahead, "WorkerProcess", Noted)
    monkeypatch.setattr(ahead, "_STARTED", [])
    return made


def test_it_reads_for_the_first_that_want_rows(
    tmp_path: Path, started: list[WorkerProcess]
) -> None:
    database = make_database(tmp_path / "a.db", NEOTOMA)
    start_ahead()
    look = Task("mentions", database, database.stat().st_size, Allowance())
    with Workers(Setting(), tmp_path) as first_look:
        assert first_look.ask(look).read is True
    assert not started[0].has_read
    with Workers(Setting(), tmp_path, of_rows=True) as workers:
        found = examine_apart(workers, database, database, tmp_path / "scratch", Coder())
    assert found is not None
    assert found.holdings is not None
    assert found.holdings.observations == 3
    assert len(started) == 1
    assert started[0].has_read


def test_one_that_nobody_wanted_is_ended(started: list[WorkerProcess]) -> None:
    before = psutil.Process().children()
    start_ahead()
    assert len(started) == 1
    (there,) = [one for one in psutil.Process().children() if one not in before]
    ahead.end_unused()
    assert not there.is_running()
    assert ahead.take_started(b"") is None


def test_where_it_cannot_be_started_that_is_said_when_one_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[WorkerProcess]
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    start_ahead()
    assert started == []
    with pytest.raises(FileUnusable), Workers(Setting(), tmp_path, of_rows=True):
        pass
