"""Following a live database: what a server commits arrives, and an idle one is left alone."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from neotoma_core.errors import MiddenError, RemoteDenied, RemoteUnreachable
from neotoma_core.push.report import PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.push.signs import signs_of
from neotoma_core.push.watch import EVERY, IDLE, Rhythm, Stopped, watch
from neotoma_core.remotes.standing import last_push
from neotoma_core.stores.store import Store
from neotoma_core.stores.wrapped import Wrapped
from tests.push.test_push import there
from tests.support.archiving import log_of
from tests.support.databases import entity, insert, make_database, observation
from tests.support.opened import Opened, count_opened
from tests.support.remotes import Machine, memory_url

Step = Callable[[], None]


@dataclass
class Heard:
    """An audience that keeps what it hears."""

    reports: list[PushReport] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    errors: list[MiddenError] = field(default_factory=list)
    looks: list[tuple[datetime, bool]] = field(default_factory=list)

    def on_push(self, report: PushReport) -> None:
        self.reports.append(report)

    def on_failure(self, error: MiddenError, failures: int, wait: float) -> None:
        assert failures == len(self.waits) + 1
        self.errors.append(error)
        self.waits.append(wait)

    def on_look(self, now: datetime, *, good: bool) -> None:
        self.looks.append((now, good))


class Failing(Wrapped):
    """A store that fails until it is repaired."""

    def __init__(self, store: Store, error: MiddenError) -> None:
        super().__init__(store)
        self.error: MiddenError | None = error

    def asking(self, _: int = 1) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    rows = {
        "entities": [entity("e1"), entity("e2")],
        "observations": [observation("o1"), observation("o2")],
    }
    database = make_database(tmp_path / "data" / "neotoma.db", rows)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    made = Machine(tmp_path, memory_url(), database)
    made.add()
    return made


def watch_with(machine: Machine, *steps: Step, heard: Heard | None = None) -> Heard:
    """Watch; each time the watch sleeps, the next step is taken, and the clock goes on."""
    heard = heard or Heard()
    left = list(steps)

    def sleep(seconds: float) -> None:
        machine.now += timedelta(seconds=seconds)
        if not left:
            raise Stopped
        left.pop(0)()

    request = PushRequest(machine.database, machine.vault)
    remote = machine.remote(reads=False)
    watch(request, remote, Rhythm(lambda: machine.now, EVERY, sleep), heard)
    return heard


def idle() -> None:
    """Let a look pass."""


def test_what_a_server_commits_arrives_back_dated_or_in_place(
    machine: Machine, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(machine.database)) as server:
        server.execute("PRAGMA wal_autocheckpoint = 0")

        def back_dated() -> None:
            old = observation("old", observed_at="2019-05-01T00:00:00Z")
            insert(server, "observations", {**old, "created_at": "2019-05-01T00:00:00Z"})
            server.commit()

        def in_place() -> None:
            server.execute("UPDATE entities SET canonical_name = 'other' WHERE id = 'e2'")
            server.commit()

        def go() -> None:
            server.execute("DELETE FROM observations WHERE id = 'o2'")
            server.commit()

        def not_committed() -> None:
            server.execute("UPDATE entities SET canonical_name = 'never' WHERE id = 'e1'")

        steps = (back_dated, idle, in_place, go, not_committed, server.rollback, idle)
        heard = watch_with(machine, *steps)
        assert [report.versions for report in heard.reports] == [
            {"entities": 2, "observations": 2},
            {"observations": 1},
            {"entities": 1},
            {"removed_rows": 1},
        ]
        assert there(machine, tmp_path / "back") == log_of(machine.database)


def test_an_idle_database_is_not_opened_and_readers_of_it_change_nothing(machine: Machine) -> None:
    counted: list[int] = []
    with count_opened(machine.database.parent) as opened:

        def count() -> None:
            counted.append(opened.times())

        def read() -> None:
            with closing(sqlite3.connect(machine.database)) as reader:
                reader.execute("SELECT count(*) FROM observations").fetchone()
            opened.times()  # the reader's own do not count

        watch_with(machine, count, *([count] * 50), read, *([count] * 5))
    pushing, *idling = counted
    assert pushing > 0  # the count counts
    assert idling == [0] * 55


def test_what_counts_opens_sees_them(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with count_opened(tmp_path) as opened:
        assert isinstance(opened, Opened)
        assert opened.times() == 0
        (tmp_path / "x").read_bytes()
        assert opened.times() == 1


def test_a_remote_that_does_not_answer_is_tried_again_after_longer_and_longer(
    machine: Machine, tmp_path: Path
) -> None:
    failing = Failing(machine.store, RemoteUnreachable(machine.url, "it does not answer"))
    machine.around = failing

    def answer() -> None:
        failing.error = None

    heard = watch_with(machine, *([idle] * 11), answer, idle)
    assert len(heard.waits) == 12
    assert all(0.75 * 2**n <= wait <= 1.25 * 2**n for n, wait in enumerate(heard.waits[:9]))
    assert all(225 <= wait <= 375 for wait in heard.waits[9:])
    assert {str(error) for error in heard.errors} == {
        f"remote {machine.url}: it does not answer; check the network and run again"
    }
    assert [report.outcome for report in heard.reports] == ["pushed"]
    assert [good for _, good in heard.looks] == [False] * 12 + [True]
    machine.around = None
    assert there(machine, tmp_path / "back") == log_of(machine.database)


def test_a_remote_that_refuses_ends_a_watch(machine: Machine) -> None:
    machine.around = Failing(machine.store, RemoteDenied(machine.url, "no right", "ask for it"))
    heard = Heard()
    with pytest.raises(RemoteDenied):
        watch_with(machine, idle, heard=heard)
    assert [good for _, good in heard.looks] == [False]
    state = last_push(machine.remote().cache)
    assert state is not None
    assert state.failed == "no right"


def test_an_idle_watch_tells_once_a_minute_that_all_is_there(machine: Machine) -> None:
    looks = int(2.5 * IDLE.total_seconds())  # one in a second
    heard = watch_with(machine, *([idle] * looks))
    assert [good for _, good in heard.looks] == [True] * 3
    state = last_push(machine.remote().cache)
    assert state is not None
    assert (state.pushed_at, state.whole_at) == (heard.looks[0][0], heard.looks[-1][0])


def test_a_loss_is_told_once_and_stays_held_back(machine: Machine) -> None:
    with closing(sqlite3.connect(machine.database)) as server:
        for number in range(60):
            insert(server, "observations", observation(f"more{number}"))
        server.commit()

        def lose() -> None:
            server.execute("DELETE FROM observations WHERE id <> 'o1'")
            server.commit()

        heard = watch_with(machine, lose, *([idle] * 70))
    assert [report.outcome for report in heard.reports] == ["pushed", "held"]
    assert [good for _, good in heard.looks] == [True, False, False]
    state = last_push(machine.remote().cache)
    assert state is not None
    assert state.failed.startswith("observations: 1, usually 62; ")


def test_a_database_that_took_the_place_of_another_shows(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    before = signs_of(path)
    (tmp_path / "y").write_bytes(b"two")
    (tmp_path / "y").replace(path)
    assert signs_of(path) != before
