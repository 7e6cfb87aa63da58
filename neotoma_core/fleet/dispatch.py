"""Spreading tasks over a few hands: at most so many at once on one disk, what may pass once more.

A hand is what does one task after the other: this thread, or a process apart.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from neotoma_core.errors import MiddenError
from neotoma_core.fleet.attempt import attempt, settle
from neotoma_core.fleet.disks import disk_of
from neotoma_core.fleet.report import FleetRow
from neotoma_core.fleet.task import FleetTask


class Hand(Protocol):
    """What does tasks; used by one thread."""

    def do(self, task: FleetTask, *, number: int, last: bool) -> FleetRow:
        """Do a task as ``attempt`` does; raises MiddenError where it may be tried again."""

    def end(self) -> None:
        """End what it was started with; also called while another thread waits in ``do``."""


class OwnThread:
    """A hand that works in the thread that asks."""

    def do(self, task: FleetTask, *, number: int, last: bool) -> FleetRow:
        """Do a task here."""
        return attempt(task, number=number, last=last)

    def end(self) -> None:
        """Do nothing: there is nothing to end."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A task, and on which disk its vault is."""

    task: FleetTask
    disk: int
    number: int = 1


class _Tasks:
    """The tasks that nobody has taken yet, and how many are worked on per disk."""

    def __init__(self, tasks: Sequence[FleetTask], per_disk: int) -> None:
        self._waiting = [_Waiting(task, disk_of(task.vault)) for task in tasks]
        self._per_disk = per_disk
        self._busy: Counter[int] = Counter()
        self._changed = threading.Condition()
        self._has_ended = False

    def take(self) -> _Waiting | None:
        """Return the next task whose disk has room, once there is one; None after the last."""
        with self._changed:
            while not self._has_ended:
                for place, one in enumerate(self._waiting):
                    if self._busy[one.disk] < self._per_disk:
                        self._busy[one.disk] += 1
                        return self._waiting.pop(place)
                if not self._waiting and not self._busy.total():
                    return None
                self._changed.wait()
        return None

    def give_back(self, one: _Waiting, *, again: bool = False) -> None:
        """Say that nobody works on a task any longer; ``again``: it is to be tried once more."""
        with self._changed:
            self._busy[one.disk] -= 1
            if again:
                self._waiting.append(_Waiting(one.task, one.disk, one.number + 1))
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody take another task."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


def spread(
    tasks: Sequence[FleetTask], hands: Sequence[Hand], per_disk: int
) -> Iterator[tuple[FleetTask, FleetRow]]:
    """Yield each task with its row as it is done. What may pass is tried once more, last of all.

    Where the caller stops, the hands are ended, with what they are doing.
    """
    waiting = _Tasks(tasks, per_disk)
    done: queue.SimpleQueue[tuple[FleetTask, FleetRow] | BaseException] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_work, args=(hand, waiting, done.put), daemon=True)
        for hand in hands
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            one = done.get()
            if isinstance(one, BaseException):
                raise one
            yield one
    finally:
        waiting.end()
        for hand in hands:
            hand.end()


def _work(
    hand: Hand,
    waiting: _Tasks,
    tell: Callable[[tuple[FleetTask, FleetRow] | BaseException], None],
) -> None:
    try:
        while (one := waiting.take()) is not None:
            row = _try(hand, one)
            if row is None:
                waiting.give_back(one, again=True)
                continue
            tell((one.task, row))
            waiting.give_back(one)
    except BaseException as error:  # noqa: BLE001 - a fault of ours: the caller raises it
        tell(error)


def _try(hand: Hand, one: _Waiting) -> FleetRow | None:
    """Return the row of a task; None where it is to be tried once more."""
    last = one.number > 1
    try:
        return hand.do(one.task, number=one.number, last=last)
    except MiddenError as error:
        return settle(one.task, error, 0.0, one.number) if last or not error.retryable else None
