"""Interrupts: at any time, with a code of their own and an untouched target."""

import os
import runpy
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from neotoma_core.cli import main
from tests.support.databases import count, entity, make_database, observation

STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
COMMAND = """
import signal, sys
from neotoma_core.cli import main
from neotoma_core.files.atomic import observe

step, *words = sys.argv[1:]

def wait_at(reached):
    global step
    if reached == step:
        step = None
        print("reached", file=sys.stderr, flush=True)
        sys.stdin.readline()

def wait_at_import(event, words):
    if event == "import":
        wait_at(f"import {words[0]}")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what nohup runs, that
sys.addaudithook(wait_at_import)
sys.argv = ["midden", *words]
with observe(wait_at):
    main()
"""
BEFORE = ("import polars", "temp_written", "locked", "log_written", "derived_written", "verified")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_database(
        tmp_path / "data" / "target.db",
        {"entities": [entity("e1")], "observations": [observation("o1")]},
    )


def stop_at(stop: signal.Signals, step: str, target: Path) -> tuple[int, str, str]:
    """Recover the target and send a signal once a step is reached; code, output and errors."""
    rows = {"entities": [entity("e1")], "observations": [observation("o2")]}
    backup = make_database(target.parent.parent / "backup.db", rows)
    words = ("recover", "--target", target, "--backup", backup, "--no-archive", "--yes")
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, step, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIDDEN_VAULT": str(target.parent.parent / "vault")},  # noqa: TID251 - a child's
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "reached\n"
        process.send_signal(stop)
        out, err = process.communicate("\n")
    return process.returncode, out, err


@pytest.mark.parametrize(("stop", "code"), STOPS, ids=["interrupted", "terminated"])
@pytest.mark.parametrize("step", BEFORE)
def test_a_run_stopped_before_its_commit_leaves_the_old_target(
    stop: signal.Signals, code: int, step: str, target: Path
) -> None:
    before = target.read_bytes()
    returned, out, err = stop_at(stop, step, target)
    assert returned == code
    assert "published" not in out
    assert "the target is as it was" in err
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["target.db"]


@pytest.mark.parametrize(("stop", "code"), [*STOPS, (signal.SIGHUP, 129)])
def test_a_run_that_has_committed_reports_that_before_it_gives_way(
    stop: signal.Signals, code: int, target: Path
) -> None:
    returned, out, err = stop_at(stop, "committed", target)
    assert returned == code
    assert "was already changed, and that stays; undo: midden restore" in err
    assert "published" in out
    assert count(target, "observations") == 2


def test_an_interrupt_while_the_command_is_loaded_ends_it_without_a_word() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        loaded = runpy.run_module("neotoma_core.__main__", run_name="loaded")
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
    assert loaded["main"] is main


def test_the_installed_command_is_the_one_that_is_loaded_so() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["midden"] == "neotoma_core.__main__:main"
