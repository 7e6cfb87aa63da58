"""The processes that read copies: seen by nobody, and gone with the command, however that ends."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases import make_database
from tests.support.faulty_worker import IN_CODE, REACHED
from tests.support.panics import SECRET
from tests.support.proven import observe

ROOT = Path(__file__).parents[2]
FIND = "from neotoma_core.cli import main; main()"
FAULTY = f"{IN_CODE}\n{FIND}"
STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
if sys.platform == "linux":  # elsewhere a library that holds Python's lock ends later, by its limit
    STOPS.append((signal.SIGKILL, -signal.SIGKILL))
PROGRAM = """
import sys, threading
from pathlib import Path
from neotoma_core.find.status import find_copies
from neotoma_core.report.progress import Silent
from neotoma_core.find.search import SearchRequest

reports = []
def look():
    reports.append(find_copies(SearchRequest((Path(sys.argv[1]),)), None, Silent()))

threads = [threading.Thread(target=look) for _ in range(3)]
for thread in threads:
    thread.start()
look()
for thread in threads:
    thread.join()
print([[row.observations for row in report.copies] for report in reports])
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("a.db", "z.db"):
        make_database(tmp_path / "home" / name, {"observations": [observe(n) for n in range(3)]})
    (tmp_path / "tmp").mkdir()
    return tmp_path / "home"


def start(code: str, home: Path) -> "subprocess.Popen[str]":
    # A shell's background job ignores interrupts, and so would what it starts.
    unignored = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    return subprocess.Popen(
        [sys.executable, "-c", unignored + code, "find", home, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(home.parent / "tmp")},  # noqa: TID251 - a child's
    )


@pytest.mark.parametrize(("stop", "code"), STOPS, ids=[stop.name for stop, _ in STOPS])
def test_a_reader_that_never_ends_is_gone_with_the_command(
    stop: signal.Signals, code: int, home: Path
) -> None:
    make_database(home / "for-ever.db", {"observations": [observe(1)]})
    os.mkfifo(home.parent / REACHED)
    with start(FAULTY, home) as process, (home.parent / REACHED).open() as reader:
        assert reader.readline() == "reached\n"
        process.send_signal(stop)
        assert reader.read() == ""  # nobody holds the pipe any longer
        _, said = process.communicate()
    assert process.returncode == code, said
    if stop != signal.SIGKILL:
        assert not list((home.parent / "tmp").iterdir())


def test_what_a_library_says_as_it_fails_is_seen_nowhere(home: Path) -> None:
    make_database(home / "quoted.db", {"observations": [observe(1)]})
    with start(FAULTY, home) as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert (SECRET in out + err, "panicked" in out + err) == (False, False)
    found = {Path(row["path"]).name: row["problem"] for row in json.loads(out)["copies"]}
    assert found["quoted.db"] == "it cannot be read: PanicException"


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_make_no_difference(closed: str, home: Path) -> None:
    command = shlex.join([sys.executable, "-m", "neotoma_core", "find", str(home), "--json"])
    done = subprocess.run(
        ["bash", "-c", f"{command} {closed}"], capture_output=True, check=True, cwd=ROOT
    )
    assert [row["observations"] for row in json.loads(done.stdout)["copies"]] == [3, 3]


def test_a_program_may_search_from_anywhere_in_it_and_nothing_in_its_folder_is_run(
    home: Path,
) -> None:
    program, folder = home.parent / "program" / "look.py", home.parent / "folder"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    folder.mkdir()
    for name in ("polars.py", "json.py", "neotoma_core.py"):
        (folder / name).write_text("raise SystemExit('it was run')")
    done = subprocess.run(
        [sys.executable, program, home],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # noqa: TID251 - a child's
    )
    assert (done.returncode, done.stdout) == (0, f"{[[3, 3]] * 4}\n"), done.stderr
