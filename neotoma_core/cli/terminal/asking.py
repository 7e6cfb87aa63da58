"""Asking before anything is written."""

import sys
from collections.abc import Callable
from typing import Final, NoReturn, Protocol, TypeVar

import typer

from neotoma_core.errors import UsageError

DECLINED: Final = 7
"""The exit code of a command that was asked whether to go on, and told not to."""
LEFT_ALONE: Final = "dry run    the target was left alone"


class Ended(Protocol):
    """A report of a command that asks; its ``outcome`` is "planned" where nothing was written."""

    @property
    def outcome(self) -> str:
        """What was done."""

    def to_json(self) -> str:
        """Return the report as a JSON document."""


_Report = TypeVar("_Report", bound=Ended)


def require_answerable(*, yes: bool) -> None:
    """Raise UsageError where a question would be asked and nobody is there to answer it."""
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "standard input is no terminal, so nobody can be asked; "
            "look at the plan with --dry-run, then say --yes"
        )


def agreed(question: str, *, yes: bool) -> bool:
    """Return whether the user agrees; the question goes to standard error. Raises UsageError."""
    if yes:
        return True
    require_answerable(yes=yes)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def end_declined(said: str = "nothing was changed", *, json: bool) -> NoReturn:
    """End a command that was not to go on; with ``json`` standard output is the report's alone."""
    print(f"declined   {said}", file=sys.stderr if json else sys.stdout)
    raise typer.Exit(DECLINED)


def print_ending(
    report: _Report, text: Callable[[_Report], str], *, json: bool, dry_run: str = ""
) -> None:
    """Print how a command that asks has ended, and exit with DECLINED where it was told not to.

    ``text`` says what was done; ``dry_run`` is what a dry run says instead, "" where it is none.
    """
    if json:
        print(report.to_json())
    elif dry_run:
        print(dry_run)
    elif report.outcome != "planned":
        print(text(report))
    if report.outcome == "planned" and not dry_run:
        end_declined(json=json)
