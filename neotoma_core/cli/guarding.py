"""Asking before nearly everything goes: in production the database's name, typed by somebody."""

import sys

from rich.console import Console

from neotoma_core.cli.asking import agreed
from neotoma_core.errors import UsageError
from neotoma_core.losses import Loss


def permitted(loss: Loss, doing: str, *, yes: bool) -> bool:
    """Return whether the user permits a loss; ``doing``: what would cause it, as words.

    In production ``yes`` counts for nothing. Raises UsageError where nobody is at a terminal.
    """
    if loss.production is None:
        return agreed(f"{doing} {loss.database} ({loss})?", yes=yes)
    console = Console(stderr=True, highlight=False)
    lost = f"{doing} would take away {loss}"
    console.print(lost, style="bold red", markup=False, soft_wrap=True)
    why = f"{loss.database} is a production database: {loss.production}"
    console.print(why, markup=False, soft_wrap=True)
    if not sys.stdin.isatty():
        raise UsageError(
            f"{loss.database}: a production database, and standard input is no terminal; nothing "
            "was changed; run this yourself, at a terminal: --yes does not count here"
        )
    print(f"type the name of the database to go on ({loss.database}): ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n") == loss.database
