"""Keeping the report of a recovery and its page, once it has ended."""

from dataclasses import replace
from pathlib import Path

from neotoma_core.backup.protection import is_scheduled
from neotoma_core.pages.keeping import PAGE, keep_page
from neotoma_core.recovery.conflicts.files import CONFLICTS_FILE
from neotoma_core.recovery.page.page import recovery_page
from neotoma_core.recovery.page.tallies import shown_of
from neotoma_core.recovery.plan import RecoveryPlan
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.reporting import save_report
from neotoma_core.runs.commands import command


def keep_report(plan: RecoveryPlan, report: RecoveryReport) -> RecoveryReport:
    """Keep the report and its page in the vault; return the report that names the page."""
    place = plan.report_folder / PAGE
    following = next_command(plan, report)
    made = keep_page(place, lambda: recovery_page(shown_of(plan, report, following)))
    report = replace(report, page=made, next=following)
    save_report(plan, report)
    return report


def next_command(plan: RecoveryPlan, report: RecoveryReport) -> str:
    """Return the command to run after a recovery that ended as the report says."""
    target, vault = plan.run.path, plan.run.folders.vault
    if report.outcome == "published":
        scheduled = is_scheduled(vault)
        return command("backup" if scheduled else "init", target=target, vault=vault)
    if report.outcome == "unchanged":
        return command("status", target=target, vault=vault)
    copies = [word for one in report.backups for word in ("--backup", Path(one.path))]
    decided = ("--decisions", plan.report_folder / CONFLICTS_FILE)
    then = [*copies, *(decided if report.outcome == "refused" else ())]
    return command("recover", target=target, vault=vault, then=then)
