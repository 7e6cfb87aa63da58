"""Every command has examples in its help, and the real command line takes every one of them."""

import shlex
from typing import Any

import pytest

from neotoma_core.cli.examples import EXAMPLES
from neotoma_core.errors import UsageError
from tests.command_line import ROOT, commands, help_of

COMMANDS = {
    words.removeprefix("midden "): command
    for words, command in commands()
    if not hasattr(command, "commands")
}
LINES = [(words, line) for words, lines in EXAMPLES.items() for line in lines]


def parse(line: str) -> str:
    """Parse a line as the command line does, without running it; return the command's words."""
    program, *words = shlex.split(line)
    assert program == "midden"
    command: Any = ROOT
    named = []
    while hasattr(command, "commands"):
        named.append(words.pop(0))
        command = command.commands[named[-1]]
    with command.make_context(" ".join(["midden", *named]), words):
        return " ".join(named)


def test_every_command_has_examples() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize(("words", "line"), LINES, ids=[line for _, line in LINES])
def test_the_command_line_takes_an_example(words: str, line: str) -> None:
    assert parse(line) == words


@pytest.mark.parametrize(
    "line",
    ["midden prune --keep-none 3", "midden show --target t.db", "midden backup --target ''"],
)
def test_an_example_that_it_does_not_take_is_found(line: str) -> None:
    with pytest.raises(Exception) as found:  # noqa: PT011 - the parser's own, or ours
        parse(line)
    assert isinstance(found.value, UsageError) or found.value.exit_code == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", COMMANDS)
def test_the_help_shows_them_and_the_common_options(words: str) -> None:
    text = help_of(COMMANDS[words], f"midden {words}")
    told = " ".join(text.split())
    assert all(line in told for line in EXAMPLES[words])
    assert all(option in text for option in ("--quiet", "--verbose", "--progress"))
