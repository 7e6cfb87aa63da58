"""What `--help` and `--version` print: whole summaries, a text for every option."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from tests.cli.conftest import Midden
from tests.command_line import commands, help_of
from tests.support.databases import make_database

ROOT = Path(__file__).parents[2]
COLUMNS = 80
COMMANDS = dict(commands())


@pytest.mark.parametrize("words", COMMANDS)
def test_help_fits_a_terminal_of_80_columns_and_cuts_nothing(words: str) -> None:
    assert cut_or_wide(help_of(COMMANDS[words], words)) == []


def test_a_user_is_shown_the_same(midden: Midden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    done = midden("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.partition("\n\n")[2].rstrip() == summaries()


def summaries() -> str:
    return help_of(COMMANDS["midden"], "midden").partition("\n\n")[2].rstrip()


def cut_or_wide(text: str) -> list[str]:
    """Return the lines whose end is missing, and those that a terminal would break."""
    return [
        line
        for line in text.splitlines()
        if re.search(r"[^\]]\.\.\.$|…$", line) or len(line) > COLUMNS  # `[PATH]...` may be repeated
    ]


def test_a_summary_that_is_too_long_is_found() -> None:
    planted = typer.Typer(rich_markup_mode=None)
    planted.command("short", help="Say it.")(lambda: None)
    planted.command("long", help="Say in many words what takes fewer, " * 2)(lambda: None)
    (line,) = cut_or_wide(help_of(get_command(planted), "planted"))
    assert line.startswith("  long")


def without_help(command: Any) -> list[str]:
    """Return the options and arguments of a command that no text explains."""
    return [p.name for p in command.params if not (getattr(p, "help", None) or "").strip()]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_and_argument_has_a_help_text(words: str) -> None:
    assert without_help(COMMANDS[words]) == []


def test_an_option_without_a_help_text_is_found() -> None:
    planted = typer.Typer()

    @planted.command()
    def bare(*, named: str = typer.Option("", help="A name."), silent: int = 0) -> None:
        raise AssertionError(named, silent)

    assert without_help(get_command(planted)) == ["silent"]


def test_every_command_is_walked() -> None:
    assert {"midden", "midden recover", "midden guard", "midden guard install"} <= {*COMMANDS}


def test_the_version_is_that_of_the_package(midden: Midden) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    done = midden("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"midden {version}\n", "")


def test_status_takes_the_database_as_target_and_by_its_place(
    midden: Midden, tmp_path: Path
) -> None:
    target = make_database(tmp_path / "data" / "neotoma.db", {})
    by_place = midden("status", target, "--json")
    named = midden("status", "--target", target, "--json")
    assert by_place.stdout == named.stdout
    assert named.returncode == by_place.returncode
    twice = midden("status", target, "--target", target)
    assert twice.returncode == 2
