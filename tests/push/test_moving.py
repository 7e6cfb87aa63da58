"""Progress of what moves: bytes as they go, as many as there are, whoever tells of them."""

from pathlib import Path
from secrets import token_bytes

import pytest

from neotoma_core.push.push import push
from neotoma_core.push.request import PushRequest
from neotoma_core.remotes.copies import copy_log
from neotoma_core.remotes.remote import read_logs
from neotoma_core.report.progress import Moving
from tests.support import raw
from tests.support.remotes import Machine

SIZE = 5 << 20


class Steps:
    """Keeps what is reported of each step: its total, and each advance."""

    def __init__(self) -> None:
        self.totals: dict[str, int | None] = {}
        self.advances: dict[str, list[int]] = {}
        self._step = ""

    def begin(self, step: str, total: int | None = None) -> None:
        self._step = step
        self.totals[step] = total
        self.advances[step] = []

    def advance(self, units: int) -> None:
        self.advances[self._step].append(units)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    content = token_bytes(SIZE)
    database = raw.database(tmp_path / "neotoma.db", content)
    raw.put(tmp_path / "sources", content)
    (tmp_path / "nas").mkdir()
    made = Machine(tmp_path, f"file://{tmp_path}/nas", database)
    made.add()
    return made


def test_large_objects_advance_as_their_bytes_go_and_to_the_end(
    machine: Machine, tmp_path: Path
) -> None:
    sent = Steps()
    request = PushRequest(machine.database, machine.vault)
    push(request, machine.remote(reads=False), machine.tick(), sent)
    assert sent.totals["upload"] == sum(sent.advances["upload"])
    assert len([units for units in sent.advances["upload"] if units >= SIZE // 5]) > 1
    assert max(sent.advances["upload"]) < SIZE
    remote = machine.remote()
    (log,) = read_logs(remote).values()
    came = Steps()
    (tmp_path / "back").mkdir()
    copy_log(remote, log, tmp_path / "back", log.raw_files.keys(), came)
    assert came.totals["download"] == sum(came.advances["download"])
    assert max(came.advances["download"]) < SIZE


def test_what_is_told_twice_or_taken_back_counts_once() -> None:
    steps = Steps()
    steps.begin("upload", 10)
    moving = Moving(steps, 10)
    for size in (4, -4, 0, 4, 4, 9):
        moving.on_bytes(size)
    moving.end()
    moving.end()
    assert steps.advances["upload"] == [4, 4, 2]
