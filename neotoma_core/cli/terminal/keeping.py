"""The options of rotation: how many backups are kept, of a vault and of a remote."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.terminal.spans import span_of

if TYPE_CHECKING:
    from neotoma_core.backup.retention import RetentionPolicy

KeepLast = Annotated[
    int | None, typer.Option(min=0, help="Keep this many newest backups.", show_default=False)
]
KeepHourly = Annotated[
    int | None,
    typer.Option(
        min=0, help="Keep the last backup of each of this many hours.", show_default=False
    ),
]
KeepDaily = Annotated[
    int | None,
    typer.Option(min=0, help="Keep the last backup of each of this many days.", show_default=False),
]
KeepWeekly = Annotated[
    int | None,
    typer.Option(
        min=0, help="Keep the last backup of each of this many weeks.", show_default=False
    ),
]
KeepMonthly = Annotated[
    int | None,
    typer.Option(
        min=0, help="Keep the last backup of each of this many months.", show_default=False
    ),
]
KeepWithin = Annotated[
    str | None,
    typer.Option(help="Keep everything from this period, e.g. 30d.", show_default=False),
]
Apply = Annotated[bool, typer.Option("--apply", help="Apply (default: dry run).")]


@dataclass(frozen=True, slots=True)
class Kept:
    """How many backups were asked for, each None where nothing was said."""

    last: int | None
    hourly: int | None
    daily: int | None
    weekly: int | None
    monthly: int | None


def policy_of(kept: Kept, within: str | None) -> "RetentionPolicy":
    """Return the policy that was asked for, the default where nothing was; raises UsageError."""
    from neotoma_core.backup.retention import DEFAULT, RetentionPolicy

    span = span_of(within, "--keep-within")
    counts = (kept.last, kept.hourly, kept.daily, kept.weekly, kept.monthly)
    if span is None and all(count is None for count in counts):
        return DEFAULT
    return RetentionPolicy(
        last=kept.last or 0,
        hourly=kept.hourly or 0,
        daily=kept.daily or 0,
        weekly=kept.weekly or 0,
        monthly=kept.monthly or 0,
        within=span or timedelta(0),
    )
