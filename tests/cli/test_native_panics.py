"""Whatever a native library does, a command ends with its own exit code and quotes nobody."""

import subprocess
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from tests.support.databases import count, entity, make_database, observation
from tests.support.forks.asking import python
from tests.support.panics import SECRET

# What Rust prints of the same text where it is the name of a column.
BYTES = ", ".join(map(str, SECRET.encode()))
FAULTS = """
import functools, gc, os, sys, threading
from tests.support.panics import panic, quote
"""
IN_EVERY_COMMAND = """
from neotoma_core.cli.app import app, main

def planted(callback):
    @functools.wraps(callback)
    def failing(*_words, **_means):
        fault()
    return failing

groups = [group.typer_instance for group in app.registered_groups]
for command in [c for each in (app, *groups) for c in each.registered_commands]:
    command.callback = planted(command.callback)
main()
"""
WORDS = {
    "init": ("--target", "t.db", "--yes"),
    "recover": ("--target", "t.db", "--backup", "b.db"),
    "rebuild": ("--target", "t.db"),
    "restore": ("latest", "--target", "t.db"),
    "erase": ("--target", "t.db", "--entity", "e"),
    "find": (),
    "status": ("t.db",),
    "backup": ("--target", "t.db"),
    "backups": ("--target", "t.db"),
    "verify": ("--target", "t.db"),
    "prune": ("--target", "t.db"),
    "forget": ("--target", "t.db", "--erased"),
    "reset": ("--target", "t.db"),
    "guard": ("install",),
    "serve": ("--target", "t.db"),
    "archive": ("--target", "t.db"),
    "export": ("--target", "t.db", "--to", "out"),
    "history": ("--entity", "e"),
    "unmerge": ("--target", "t.db", "--merge-id", "m"),
    "compact": ("--archive", "a"),
    "demo": (),
    "push": ("--target", "t.db"),
    "pull": ("--target", "t.db"),
    "remote": ("list", "--target", "t.db"),
    "doctor": ("--target", "t.db"),
    "schedule": ("run", "--target", "t.db"),
    "fleet": ("status",),
    "show": ("e", "--target", "t.db"),
    "diff": ("t.db", "b.db"),
    "merges": ("--target", "t.db"),
    "config": ("show",),
    "approve": ("token",),
    "audit": ("--target", "t.db"),
    "mcp": ("install", "cursor"),
    "completion": ("bash",),
}


def run(script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python(), "-c", FAULTS + script, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )


def quotes_nobody(done: subprocess.CompletedProcess[str]) -> bool:
    said = done.stdout + done.stderr
    return SECRET not in said and BYTES not in said and "panicked" not in said


def test_the_panic_that_is_planted_is_real_and_quotes_what_it_worked_on() -> None:
    assert BYTES in run("panic()").stderr
    assert SECRET in run("quote()").stderr


@pytest.mark.parametrize("fault", ["panic", "quote"])
@pytest.mark.parametrize("command", WORDS)
def test_a_panic_in_any_command_is_an_internal_error(command: str, fault: str) -> None:
    done = run(f"fault = {fault}\n" + IN_EVERY_COMMAND, command, *WORDS[command])
    assert (done.returncode, done.stdout) == (1, "")
    assert quotes_nobody(done), done.stderr
    assert "midden: internal error PanicException; the target is as it was" in done.stderr
    assert f" in {fault}" in done.stderr


def test_every_command_is_tried() -> None:
    names = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    names |= {
        str(group.name or group.typer_instance.info.name)
        for group in app.registered_groups
        if group.typer_instance
    }
    assert names == set(WORDS)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    rows = {
        "entities": [entity(f"e{n}") for n in range(3)],
        "observations": [
            observation(f"o{n}", f"e{n}", fields=f'{{"x":"{SECRET}"}}') for n in range(3)
        ],
    }
    return make_database(tmp_path / "backups" / "neotoma.db", rows)


IN_A_POOL = """
from neotoma_core.sources import extract
extract.read_rows = panic
from neotoma_core.cli.app import main
main()
"""


def test_a_panic_while_databases_are_read_leaves_the_target(database: Path, tmp_path: Path) -> None:
    target = make_database(tmp_path / "neotoma.db", {"observations": [observation("mine")]})
    before = target.read_bytes()
    words = ("--target", target, "--backup", database, "--vault", tmp_path / "vault", "--yes")
    done = run(IN_A_POOL, "recover", *words)
    assert (done.returncode, target.read_bytes() == before) == (1, True), done.stderr
    assert quotes_nobody(done)
    assert "internal error PanicException" in done.stderr
    assert not list((tmp_path / "vault" / "work").iterdir())


AFTER_THE_COMMIT = """
from neotoma_core.recovery import archive_after
archive_after.append_database = quote
from neotoma_core.cli.app import main
main()
"""


def test_a_panic_after_the_commit_is_a_finding_and_the_undo_is_printed(
    database: Path, tmp_path: Path
) -> None:
    target = tmp_path / "neotoma.db"
    words = ("--target", target, "--backup", database, "--vault", tmp_path / "vault", "--yes")
    done = run(AFTER_THE_COMMIT, "recover", *words)
    assert (done.returncode, count(target, "observations")) == (0, 3), done.stderr
    assert quotes_nobody(done)
    assert "archive-failed" in done.stdout
    assert "undo       midden restore" in done.stdout


IN_PASSING = """
import neotoma_core.backup.listing as listing

class Thrown:
    def __del__(self):
        quote()

def list_vault(*_):
    thread = threading.Thread(target=quote)
    thread.start()
    thread.join()
    thrown = Thrown()
    del thrown
    gc.collect()
    raise SystemExit(7)

listing.list_vault = list_vault
from neotoma_core.cli.app import main
main()
"""


def test_what_nobody_can_catch_is_named_and_not_quoted(tmp_path: Path) -> None:
    done = run(IN_PASSING, "backups", "--target", tmp_path / "t.db")
    assert done.returncode == 7
    assert quotes_nobody(done)
    assert "internal error PanicException in a thread" in done.stderr
    assert "internal error PanicException, which nothing could handle" in done.stderr


WITHOUT_STANDARD_ERROR = """
os.close(2)
sys.stderr = None
fault = panic
"""


def test_where_standard_error_is_closed_nothing_goes_to_standard_output() -> None:
    done = run(WITHOUT_STANDARD_ERROR + IN_EVERY_COMMAND, "status", "t.db")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


END_OF_INPUT = f"""
def fault():
    raise EOFError("{SECRET}")
"""


def test_an_error_that_the_parser_swallows_is_named_all_the_same() -> None:
    done = run(END_OF_INPUT + IN_EVERY_COMMAND, "status", "t.db")
    assert (done.returncode, quotes_nobody(done)) == (1, True)
    assert "internal error EOFError" in done.stderr
