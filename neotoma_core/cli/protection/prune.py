"""``midden prune``: remove backups that no rule keeps."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.terminal.asking import agreed, end_declined, require_answerable
from neotoma_core.cli.terminal.options import JSON_OPTION, TARGET_OPTION, VAULT_OPTION, YES_OPTION
from neotoma_core.cli.terminal.spans import span_of

if TYPE_CHECKING:
    from neotoma_core.backup.report import PruneReport
    from neotoma_core.backup.retention import RetentionPolicy


def prune(
    *,
    target: Annotated[Path, TARGET_OPTION],
    keep_last: Annotated[
        int | None, typer.Option(min=0, help="Keep this many newest backups.", show_default=False)
    ] = None,
    keep_hourly: Annotated[
        int | None,
        typer.Option(
            min=0, help="Keep the last backup of each of this many hours.", show_default=False
        ),
    ] = None,
    keep_daily: Annotated[
        int | None,
        typer.Option(
            min=0, help="Keep the last backup of each of this many days.", show_default=False
        ),
    ] = None,
    keep_weekly: Annotated[
        int | None,
        typer.Option(
            min=0, help="Keep the last backup of each of this many weeks.", show_default=False
        ),
    ] = None,
    keep_monthly: Annotated[
        int | None,
        typer.Option(
            min=0, help="Keep the last backup of each of this many months.", show_default=False
        ),
    ] = None,
    keep_within: Annotated[
        str | None,
        typer.Option(help="Keep everything from this period, e.g. 30d.", show_default=False),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply (default: dry run).")] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Show which old backups would go; --apply removes them.

    Without any --keep option it keeps all backups of the newest day, and the last one of each of 30
    days and of 12 months. The newest verified backup that was not taken after a loss always stays.
    Nothing is removed while a loss is unexplained or something cannot be read. A removal cannot be
    undone.
    """
    from datetime import UTC, datetime

    from neotoma_core.backup.prune import prune_backups
    from neotoma_core.backup.text import prune_text
    from neotoma_core.settings.environment import default_vault

    counts = {
        "last": keep_last,
        "hourly": keep_hourly,
        "daily": keep_daily,
        "weekly": keep_weekly,
        "monthly": keep_monthly,
    }
    policy = _policy(counts, keep_within)

    def confirm(plan: "PruneReport") -> bool:
        if not apply or plan.held:
            return False
        require_answerable(yes=yes)
        if not json:
            print(prune_text(plan))
        return agreed(f"remove {plan.removed:,} backups for good?", yes=yes)

    report = prune_backups(
        vault or default_vault(target), target, policy, datetime.now(UTC), confirm
    )
    if apply and report.outcome == "planned" and not report.held:
        if json:
            print(report.to_json())
        end_declined(json=json)
    print(report.to_json() if json else prune_text(report))


def _policy(counts: dict[str, int | None], within: str | None) -> "RetentionPolicy":
    from neotoma_core.backup.retention import DEFAULT, RetentionPolicy

    span = span_of(within, "--keep-within")
    if span is None and all(count is None for count in counts.values()):
        return DEFAULT
    given = {name: count or 0 for name, count in counts.items()}
    return RetentionPolicy(
        last=given["last"],
        hourly=given["hourly"],
        daily=given["daily"],
        weekly=given["weekly"],
        monthly=given["monthly"],
        within=span or timedelta(0),
    )
