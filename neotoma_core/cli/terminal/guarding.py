"""Asking before nearly everything goes: in production the database's name, typed by somebody."""

import sys
from typing import TYPE_CHECKING

from neotoma_core.cli.terminal.asking import ask
from neotoma_core.cli.terminal.progress import TerminalProgress

if TYPE_CHECKING:
    from neotoma_core.comparison.losses import Loss
    from neotoma_core.guard.guard import Guard


def terminal_guard(
    progress: TerminalProgress, doing: str, *, yes: bool, environment: str | None = None
) -> "Guard":
    """Return the guard that asks whoever is at the terminal.

    ``doing``: what would cause the loss, as words. ``environment``: the one the user named; in
    production if either it or NEOTOMA_ENV says so.
    """
    from neotoma_core.guard.guard import Guard
    from neotoma_core.settings.environment import neotoma_environment

    def permit(loss: "Loss") -> bool:
        progress.pause()
        return ask_permission(loss, doing, yes=yes)

    named = environment if environment == "production" else neotoma_environment()
    return Guard(permit, named)


def ask_permission(loss: "Loss", doing: str, *, yes: bool) -> bool:
    """Return whether the user permits a loss; ``doing``: what would cause it, as words.

    In production ``yes`` counts for nothing. Raises UsageError where nobody is at a terminal.
    """
    from rich.console import Console

    from neotoma_core.guard.guard import refuse_production

    if loss.production is None:
        return ask(f"{doing} {loss.database} ({loss})?", yes=yes)
    if not sys.stdin.isatty():
        return refuse_production(loss)
    console = Console(stderr=True, highlight=False)
    lost = f"{doing} would take away {loss}"
    console.print(lost, style="bold red", markup=False, soft_wrap=True)
    why = f"{loss.database} is a production database: {loss.production}"
    console.print(why, markup=False, soft_wrap=True)
    print(f"type the name of the database to go on ({loss.database}): ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n") == loss.database
