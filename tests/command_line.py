"""The commands of midden, as the parser has them: what tests and the page of commands walk."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from neotoma_core.cli.app import app

ROOT: Any = get_command(app)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each command that a user is shown, by its words, the program first."""
    yield from _below("midden", ROOT)


def help_of(command: Any, words: str, columns: int = 80) -> str:
    """Return what ``--help`` prints for a command in a terminal of that width."""
    context = command.context_class(command, info_name=words, terminal_width=columns)
    return str(command.get_help(context))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _below(f"{words} {name}", inner)
