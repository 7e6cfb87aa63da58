"""``midden prune``: remove backups that no rule keeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from neotoma_core.cli.terminal.asking import ask, end_declined, require_answerable
from neotoma_core.cli.terminal.keeping import (
    Apply,
    KeepDaily,
    KeepHourly,
    KeepLast,
    KeepMonthly,
    KeepWeekly,
    KeepWithin,
    Kept,
    policy_of,
)
from neotoma_core.cli.terminal.options import JSON_OPTION, TARGET_OPTION, VAULT_OPTION, YES_OPTION

if TYPE_CHECKING:
    from neotoma_core.backup.report import PruneReport


def prune(
    *,
    target: Annotated[Path, TARGET_OPTION],
    keep_last: KeepLast = None,
    keep_hourly: KeepHourly = None,
    keep_daily: KeepDaily = None,
    keep_weekly: KeepWeekly = None,
    keep_monthly: KeepMonthly = None,
    keep_within: KeepWithin = None,
    apply: Apply = False,
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

    counts = Kept(keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly)
    policy = policy_of(counts, keep_within)

    def confirm(plan: "PruneReport") -> bool:
        if not apply or plan.held:
            return False
        require_answerable(yes=yes)
        if not json:
            print(prune_text(plan))
        return ask(f"remove {plan.removed:,} backups for good?", yes=yes)

    report = prune_backups(
        vault or default_vault(target), target, policy, datetime.now(UTC), confirm
    )
    if apply and report.outcome == "planned" and not report.held:
        if json:
            print(report.to_json())
        end_declined(json=json)
    print(report.to_json() if json else prune_text(report))
