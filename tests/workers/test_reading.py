"""Whatever reading one file does to the process that reads it, it costs that file and no other."""

import gzip
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import FileUnusable, TargetError
from neotoma_core.find.search import Found, SearchRequest, search
from neotoma_core.find.status import check_status
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.composed import compose_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.workers import process as worker_process
from neotoma_core.workers.allowances import Allowance
from tests.conftest import NOW
from tests.support.databases import count, make_database
from tests.support.faulty_worker import CODE, POISON
from tests.support.proven import observe

ROOT = Path(__file__).parents[2]
FEW = Allowance(seconds=8, memory=500_000_000)
ENDLESS = "instr(hex(zeroblob(10000000)), hex(zeroblob(5000000)) || '1')"
LARGE = "length(hex(zeroblob(480000000)))"
ASKS_FOR_MORE = "reading it needs more memory than 0.5 GB"
CRASHED = "reading it crashed"
NEOTOMA = {"observations": [observe(n) for n in range(3)]}


def with_index(path: Path, expression: str) -> Path:
    """Make a database with an index on an expression, for which nobody has computed it yet."""
    make_database(path, NEOTOMA)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE INDEX planted ON observations(length(id))")
        connection.execute("PRAGMA writable_schema = ON")
        sql = f"CREATE INDEX planted ON observations({expression})"
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'planted'", (sql,))
    return path


def search_home(home: Path, allowance: Allowance = FEW) -> Found:
    scratch = home.parent / "scratch"
    scratch.mkdir()
    return search(SearchRequest((home,), allowance=allowance), scratch, Silent())


def states_of(found: Found) -> dict[str, tuple[str, str, int | None]]:
    """Return state, problem and observations of every copy, by the name of its file."""
    return {
        copy.path.name: (
            copy.examined.state,
            copy.examined.problem,
            copy.examined.holdings.observations if copy.examined.holdings else None,
        )
        for copy in found.copies
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two sound databases, one read before whatever is put between them, and one after it."""
    for name in ("a.db", "z.db"):
        make_database(tmp_path / "home" / name, NEOTOMA)
    return tmp_path / "home"


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_CODE", CODE)


SOUND = ("sound", "", 3)


def test_a_schema_that_computes_for_ever_or_needs_all_memory_costs_its_file(home: Path) -> None:
    with_index(home / "b.db", ENDLESS)
    with_index(home / "c.db", LARGE)
    assert states_of(search_home(home)) == {
        "a.db": SOUND,
        "b.db": ("unreadable", "reading it took longer than 8 seconds", None),
        "c.db": ("unreadable", ASKS_FOR_MORE, None),
        "z.db": SOUND,
    }


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("segfault", CRASHED),
        ("aborted", CRASHED),
        ("exited", CRASHED),
        ("nonsense", CRASHED),
        ("killed", "the process that read it was killed, as happens where memory runs out"),
        ("greedy", ASKS_FOR_MORE),
        ("quoted", "it cannot be read: PanicException"),
    ],
)
def test_however_the_process_ends_the_file_is_named_and_the_others_are_exact(
    home: Path, fault: str, problem: str
) -> None:
    make_database(home / f"b {fault}.db", NEOTOMA)
    (home / f"c {fault}.db.gz").write_bytes(gzip.compress((home / "a.db").read_bytes()))
    found = search_home(home)
    assert states_of(found) == {
        "a.db": SOUND,
        f"b {fault}.db": ("unreadable", problem, None),
        "z.db": SOUND,
    }
    assert found.archives == ((home / f"c {fault}.db.gz", problem),)
    assert not list((home.parent / "scratch").glob("unpacked-*"))
    kept = {path.name for path in (home.parent / "scratch").glob("examined-*")}
    assert "examined-1" not in kept


def test_a_program_that_it_started_is_ended_with_what_read_a_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.truncate(make_database(home / "b.db", NEOTOMA), 100_000)
    pipe, programs = home.parent / "pipe", home.parent / "bin"
    os.mkfifo(pipe)
    programs.mkdir()
    (programs / "sqlite3").write_text(
        f"#!/bin/sh\nexec 9>{shlex.quote(str(pipe))}\necho reached >&9\nexec sleep 100000\n"
    )
    (programs / "sqlite3").chmod(0o700)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    found = states_of(search_home(home, Allowance(seconds=4)))
    assert found["b.db"] == ("unreadable", "reading it took longer than 4 seconds", None)
    os.set_blocking(reader, True)
    with os.fdopen(reader) as lines:
        assert lines.read() == "reached\n"  # to the end: nobody holds the pipe any longer


@pytest.mark.usefixtures("faulty")
def test_what_would_fill_the_disk_is_named(home: Path) -> None:
    make_database(home / "wide.db", NEOTOMA)
    wrong = "reading it would write more than 4.0 GB"
    assert states_of(search_home(home))["wide.db"] == ("unreadable", wrong, None)


@pytest.mark.usefixtures("faulty")
def test_no_file_is_blamed_for_what_another_did_to_the_process(home: Path) -> None:
    make_database(home / f"{POISON}.db", NEOTOMA)
    assert states_of(search_home(home)) == {"a.db": SOUND, f"{POISON}.db": SOUND, "z.db": SOUND}


@pytest.mark.usefixtures("faulty")
def test_what_crashes_and_is_of_another_program_is_not_listed(home: Path) -> None:
    with closing(sqlite3.connect(home / "photos segfault.db")) as connection:
        connection.execute("CREATE TABLE photos (id)")
    assert states_of(search_home(home)) == {"a.db": SOUND, "z.db": SOUND}


@pytest.mark.parametrize(
    ("python", "why"),
    [("/nowhere/python", "no such file or directory"), ("/bin/true", "it ended before it had")],
)
def test_a_process_that_does_not_start_is_no_fault_of_a_file(
    python: str, why: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", python)
    with pytest.raises(FileUnusable, match=f"{python}: midden cannot start it .*: {why}"):
        search_home(home)


def test_many_are_read_by_few_processes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (home / "a.db").read_bytes()
    for number in range(100):
        (home / f"{number}.db").write_bytes(content)
    started: list[list[str]] = []
    start = subprocess.Popen.__init__

    def counting(self: object, command: list[str], **how: object) -> None:
        started.append(command)
        start(self, command, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", counting)
    found = search_home(home)
    assert set(states_of(found).values()) == {SOUND}
    assert len(found.copies) == 102
    assert len(started) <= 2


def test_the_status_of_a_database_that_cannot_be_read_to_the_end_says_so(home: Path) -> None:
    target = with_index(home / "neotoma.db", ENDLESS)
    where = SearchRequest((home,), allowance=Allowance(seconds=3))
    report = check_status(Whereabouts(target, home.parent / "vault"), where, NOW, Silent())
    assert (report.state, report.problem) == ("unreadable", "reading it took longer than 3 seconds")
    assert report.next is not None


def recover_home(target: Path, home: Path, seconds: float = 8) -> RecoveryReport:
    vault = home.parent / "vault"
    request = RecoverRequest(
        target=target, backups=(), vault=vault, policy=MergePolicy("keep-target")
    )
    where = SearchRequest((home,), allowance=Allowance(seconds=seconds))
    with compose_run(request, where, NOW, Silent()) as run:
        return recover(run, lambda _: True, Silent())


@pytest.fixture
def more(home: Path) -> Path:
    """A folder with one more database, which shares rows with the others."""
    make_database(home / "c.db", {"observations": [observe(n) for n in range(2, 10)]})
    return home


def test_a_recovery_goes_on_without_what_cannot_be_read_to_the_end(more: Path) -> None:
    with_index(more / "b.db", ENDLESS)
    target = make_database(more.parent / "data" / "neotoma.db", {"observations": [observe(9)]})
    report = recover_home(target, more, seconds=5)
    assert count(target, "observations") == 10
    assert report.composition is not None
    unused = {Path(one.path).name: one.reason for one in report.composition.unused}
    assert unused["b.db"] == "reading it took longer than 5 seconds"


@pytest.mark.usefixtures("faulty")
def test_a_target_that_crashes_whatever_reads_it_is_recovered_like_any_ruin(more: Path) -> None:
    rows = {"observations": [observe(n) for n in range(8, 12)]}
    target = make_database(more.parent / "data" / "segfault.neotoma.db", rows)
    report = recover_home(target, more)
    assert report.ruin is not None
    assert (report.ruin.state, report.ruin.problem) == ("unreadable", CRASHED)
    assert count(target, "observations") == 12


def test_a_target_that_computes_for_ever_is_left_alone(more: Path) -> None:
    target = with_index(more.parent / "data" / "neotoma.db", ENDLESS)
    before = target.read_bytes()
    with pytest.raises(TargetError, match=r"longer than 3 seconds; .* into a new file"):
        recover_home(target, more, seconds=3)
    assert target.read_bytes() == before
