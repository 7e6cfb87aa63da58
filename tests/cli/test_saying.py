"""How much a command says: nothing, each step, JSON lines, and a document also where it fails."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neotoma_core.cli.terminal.manner import MANNER, ProgressForm, wants_json
from neotoma_core.cli.terminal.progress import TerminalProgress
from tests.cli.conftest import Midden
from tests.support.databases import entity, make_database, observation
from tests.support.forks.asking import python


@pytest.fixture
def target(tmp_path: Path) -> Path:
    rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
    return make_database(tmp_path / "data" / "neotoma.prod.db", rows)


FAILURES: dict[str, tuple[list[str], int, str]] = {
    "no such file": (["backup", "--target", "nowhere.db"], 11, "TargetError"),
    "not an option": (["backup", "--targe", "x"], 2, "UsageError"),
    "nobody to ask": (["restore", "1"], 2, "UsageError"),
    "an empty value": (["backup", "--target", ""], 2, "UsageError"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_a_document_where_one_is_asked_for(
    failure: str, target: Path, midden: Midden
) -> None:
    words, code, kind = FAILURES[failure]
    named = [] if "--targe" in words or "--target" in words else ["--target", target]
    done = midden(*words, *named, "--json")
    assert done.returncode == code
    error: dict[str, Any] = json.loads(done.stdout)["error"]
    assert (error["code"], error["kind"]) == (code, kind)
    assert error["message"] in " ".join(done.stderr.split())
    assert error["next"]


def test_without_json_a_failure_prints_nothing_on_standard_output(midden: Midden) -> None:
    done = midden("backup", "--target", "nowhere.db")
    assert (done.returncode, done.stdout) == (11, "")


def test_a_report_that_is_out_stays_the_only_document(target: Path, midden: Midden) -> None:
    assert midden("backup", "--target", target, "--quiet").returncode == 0
    stored = next((target.parents[1] / "vault").glob("backups/*/database.db.zst"))
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    done = midden("verify", "--target", target, "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["outcome"] == "fail"


def test_quiet_and_json_lines(target: Path, midden: Midden) -> None:
    done = midden("backup", "--target", target, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = midden("backup", "--target", target, "--quiet", "--json", "--progress", "json")
    assert json.loads(done.stdout)["outcome"] == "taken"
    events = [json.loads(line)["progress"] for line in done.stderr.splitlines()]
    assert [(e["step"], e["state"]) for e in events if e["state"] != "running"][:2] == [
        ("copy", "begun"),
        ("copy", "ended"),
    ]
    assert events[-1]["state"] == "ended"


def test_each_step_is_told_once_as_it_begins_and_ends(
    capfd: pytest.CaptureFixture[str],
) -> None:
    MANNER.progress = ProgressForm.JSON
    with TerminalProgress() as progress:
        progress.begin("read", 4)
        progress.advance(3)
        progress.begin("plan")
        progress.pause()
    events = [json.loads(line)["progress"] for line in capfd.readouterr().err.splitlines()]
    told = [(e["step"], e["state"], e["done"], e["total"]) for e in events]
    assert [one for one in told if one[1] != "running"] == [
        ("read", "begun", 0, 4),
        ("read", "ended", 3, 4),
        ("plan", "begun", 0, None),
        ("plan", "ended", 0, None),
    ]
    assert events[0]["title"] == "reading databases"


def test_verbose_names_each_step(capfd: pytest.CaptureFixture[str]) -> None:
    MANNER.verbose = True
    with TerminalProgress() as progress:
        progress.begin("evidence")
    begun, ended = capfd.readouterr().err.splitlines()
    assert begun == "midden: copying evidence"
    assert ended.startswith("midden: copying evidence: ")
    assert ended.endswith(" s")


def test_none_tells_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    MANNER.progress = ProgressForm.NONE
    with TerminalProgress() as progress:
        progress.begin("read", 1)
        progress.advance(1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("midden status --json", True),
        ("midden status", False),
        ("midden backups -- --json", False),
        ("midden guard run neotoma --json", False),
    ],
)
def test_which_lines_ask_for_a_document(
    line: str, monkeypatch: pytest.MonkeyPatch, *, asked: bool
) -> None:
    monkeypatch.setattr(sys, "argv", line.split())
    assert wants_json() is asked


BASH = """
source {script}
COMP_WORDS=({words}) COMP_CWORD={place}
_midden_completion midden
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ : }}
_arguments() {{ print -l -- "$@" }}
source {script}
words=({words}) CURRENT={current}
_midden_completion midden
"""


def in_shell(shell: str, program: Path, words: str, folder: Path, midden: Midden) -> str:
    """Return what a real shell gets from the script for the last of some words."""
    script = folder / f"completion.{shell}"
    script.write_text(midden("completion", shell).stdout)
    place = len(words.split()) - 1
    facts = {"script": script, "words": words, "place": place, "current": place + 1}
    text = {"bash": BASH, "zsh": ZSH}[shell].format(**facts)
    path = f"{program}{os.pathsep}{os.environ['PATH']}"  # noqa: TID251 - a child's
    start = {"bash": ("--norc",), "zsh": ("-f",)}[shell]
    done = subprocess.run(
        [shell, *start, "-c", text],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "HOME": str(folder)},  # noqa: TID251 - a child's
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_real_shell_completes_commands_and_options(
    shell: str, tmp_path: Path, midden: Midden
) -> None:
    program = tmp_path / "bin"
    program.mkdir()
    (program / "midden").write_text(f'#!/bin/sh\nexec {python()} -m neotoma_core "$@"\n')
    (program / "midden").chmod(0o755)
    commands = in_shell(shell, program, "midden re", tmp_path, midden)
    assert "recover" in commands
    assert "restore" in commands
    options = in_shell(shell, program, "midden prune --keep-e", tmp_path, midden)
    assert "--keep-evidence" in options


def test_fish_is_given_a_script_too(midden: Midden) -> None:
    done = midden("completion", "fish")
    assert done.returncode == 0
    assert "complete --command midden --no-files" in done.stdout
    assert midden("completion", "tcsh").returncode == 2
