"""Asking before anything is written."""

import sys
from typing import Final, NoReturn

import typer

from neotoma_core.cli.terminal.failing import document_failure
from neotoma_core.errors import UsageError

DECLINED: Final = 7
"""The exit code of a command whose question the user answered with no."""
LEFT_ALONE: Final = "dry run    the target was left alone"


def require_answerable(*, yes: bool) -> None:
    """Raise UsageError where a question would be asked and nobody is there to answer it."""
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "standard input is not a terminal, so there is nobody to ask; "
            "look at the plan with --dry-run, then say --yes"
        )


def ask(question: str, *, yes: bool) -> bool:
    """Return whether the user agrees; the question goes to standard error. Raises UsageError."""
    if yes:
        return True
    require_answerable(yes=yes)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def require_yes(question: str, *, yes: bool, json: bool) -> None:
    """Ask what has no plan to show; end the command where the user does not agree."""
    if not ask(question, yes=yes):
        end_declined(json=json)


def end_declined(said: str = "nothing was changed", *, json: bool) -> NoReturn:
    """End a command that was not to go on; with ``json`` standard output is the report's alone."""
    print(f"declined   {said}", file=sys.stderr if json else sys.stdout)
    document_failure(DECLINED, "Declined", f"you declined; {said}")
    raise typer.Exit(DECLINED)
