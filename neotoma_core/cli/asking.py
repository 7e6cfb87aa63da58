"""Asking before anything is written."""

import sys

from neotoma_core.errors import UsageError


def require_answerable(*, yes: bool) -> None:
    """Raise UsageError where a question would be asked and nobody is there to answer it."""
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "standard input is no terminal, so nobody can be asked; "
            "look at the plan with --dry-run, then say --yes"
        )


def agreed(question: str, *, yes: bool) -> bool:
    """Return whether the user agrees; the question goes to standard error."""
    if yes:
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
