"""``midden prune``: remove backups that no rule keeps, and evidence that nothing needs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.terminal import keeping
from neotoma_core.cli.terminal.options import JSON_OPTION, TARGET_OPTION, VAULT_OPTION, YES_OPTION
from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.cli.terminal.spans import span_of

if TYPE_CHECKING:
    from neotoma_core.backup.report import PruneReport

EVIDENCE_OPTION: Final = typer.Option(
    help="Keep the evidence of runs for this period, whatever is in it, e.g. 30d."
)


def prune(
    *,
    target: Annotated[Path, TARGET_OPTION],
    keep_last: keeping.KeepLast = None,
    keep_hourly: keeping.KeepHourly = None,
    keep_daily: keeping.KeepDaily = None,
    keep_weekly: keeping.KeepWeekly = None,
    keep_monthly: keeping.KeepMonthly = None,
    keep_within: keeping.KeepWithin = None,
    keep_evidence: Annotated[str, EVIDENCE_OPTION] = "30d",
    apply: keeping.Apply = False,
    yes: Annotated[bool, YES_OPTION] = False,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Show which backups and evidence go; --apply removes them.

    Without any --keep option it keeps all backups of the newest day, and the last one of each of 30
    days and of 12 months. The newest verified backup that was not taken after a loss always stays.
    Evidence of earlier runs goes after --keep-evidence, if all its rows are also in the database,
    in backups or in evidence that stays. That of the last run and of unfinished runs always stays.

    Nothing is removed while a loss is unexplained or something cannot be read. A removal cannot be
    undone.
    """
    from datetime import UTC, datetime

    from neotoma_core.backup.prune import prune_backups
    from neotoma_core.backup.text import prune_text
    from neotoma_core.kept_evidence.retention import KEPT_FOR
    from neotoma_core.settings.environment import default_vault

    counts = keeping.Kept(keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly)
    policy = keeping.policy_of(counts, keep_within)
    evidence_within = span_of(keep_evidence, "--keep-evidence")

    with asking_session(yes=yes, json=json, dry_run=not apply) as session:
        ask = session.confirmation(prune_text, _question)

        def confirm(plan: "PruneReport") -> bool:
            return apply and not plan.held and ask(plan)

        report = prune_backups(
            vault or default_vault(target),
            target,
            policy,
            datetime.now(UTC),
            confirm,
            evidence_within=KEPT_FOR if evidence_within is None else evidence_within,
        )
        session.end(report, prune_text, rehearsed=prune_text, was_declined=session.refused)


def _question(plan: "PruneReport") -> str:
    evidence = f" and the evidence of {plan.evidence_removed:,} runs"
    what = f"{plan.removed:,} backups{evidence if plan.evidence_removed else ''}"
    return f"remove {what} for good?"
