"""Spreading tasks: bounded per disk, what may pass once more at the end, none stops another."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from neotoma_core.errors import TargetLocked, UsageError
from neotoma_core.fleet import dispatch
from neotoma_core.fleet.attempt import make_row
from neotoma_core.fleet.dispatch import spread
from neotoma_core.fleet.report import FleetRow
from neotoma_core.fleet.task import FleetTask
from tests.conftest import NOW


def task(name: str, disk: str = "one") -> FleetTask:
    place = Path("/nowhere") / disk / name
    return FleetTask("status", name, place, place / "vault", Path("/nowhere/midden.toml"), NOW)


@pytest.fixture(autouse=True)
def disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of a vault is the folder that its path names."""
    monkeypatch.setattr(dispatch, "disk_of", lambda vault: hash(vault.parts[2]))


@dataclass
class Recorded:
    """What hands did: in which order, and how many at once per disk."""

    tried: list[str] = field(default_factory=list)
    inside: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Scripted:
    """A hand whose tasks do what they are called."""

    recorded: Recorded
    together: threading.Barrier | None = None
    ended: bool = False

    def do(self, task: FleetTask, *, number: int, last: bool) -> FleetRow:
        disk = task.vault.parts[2]
        with self.recorded.lock:
            self.recorded.tried.append(task.name)
            self.recorded.inside[disk] += 1
            self.recorded.most[disk] = max(self.recorded.most[disk], self.recorded.inside[disk])
        try:
            if self.together is not None:
                self.together.wait(60)
            if task.name == "fault":
                raise ZeroDivisionError
            if task.name == "wrong":
                raise UsageError("wrong")
            if task.name == "locked" or (task.name == "busy" and not last):
                raise TargetLocked(task.target)
        finally:
            with self.recorded.lock:
                self.recorded.inside[disk] -= 1
        return make_row(task, "ok", 0, None, "done", attempts=number)

    def end(self) -> None:
        self.ended = True


def rows_of(names: list[str], hands: int = 1) -> tuple[dict[str, FleetRow], list[str]]:
    recorded = Recorded()
    done = spread([task(name) for name in names], [Scripted(recorded)] * hands, 2)
    return {row.name: row for _, row in done}, recorded.tried


def test_what_fails_is_a_row_and_stops_no_other() -> None:
    rows, _ = rows_of(["wrong", "a", "b"])
    assert [(rows[n].outcome, rows[n].code) for n in ("wrong", "a", "b")] == [
        ("failed", 2),
        ("ok", 0),
        ("ok", 0),
    ]
    assert rows["wrong"].said == "wrong"


def test_what_may_pass_is_tried_once_more_after_all_others() -> None:
    rows, tried = rows_of(["busy", "locked", "a", "wrong"])
    assert tried == ["busy", "locked", "a", "wrong", "busy", "locked"]
    assert (rows["busy"].outcome, rows["busy"].attempts) == ("ok", 2)
    assert (rows["locked"].code, rows["locked"].may_pass, rows["locked"].attempts) == (11, True, 2)


def test_no_more_than_allowed_work_on_one_disk_while_another_disk_is_worked_on() -> None:
    recorded = Recorded()
    # Both have to be inside at once; with the limit they can only be of different disks.
    together = threading.Barrier(2)
    hands = [Scripted(recorded, together) for _ in range(2)]
    tasks = [task(f"{disk}{number}", disk) for disk in ("one", "two") for number in range(4)]
    assert len(list(spread(tasks, hands, per_disk=1))) == 8
    assert recorded.most == {"one": 1, "two": 1}


def test_a_fault_of_ours_is_raised_and_does_not_hang() -> None:
    recorded = Recorded()
    hands = [Scripted(recorded)]
    with pytest.raises(ZeroDivisionError):
        list(spread([task("a"), task("fault"), task("b")], hands, 2))
    assert hands[0].ended


def test_whoever_stops_listening_ends_the_hands() -> None:
    hands = [Scripted(Recorded())]
    following = spread([task(str(number)) for number in range(50)], hands, 2)
    next(following)
    following.close()  # type: ignore[attr-defined]
    assert hands[0].ended
