"""What Prefect gets to know of a run: a log of steps and counts, and the report as an artifact.

No stored value is in either; ids, paths and counts are.
"""

import dataclasses
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.events import emit_event
from prefect.logging import get_run_logger

from neotoma_core.archive.compaction_report import CompactionReport
from neotoma_core.archive.report import ArchiveReport
from neotoma_core.backup.text import backup_text, prune_text
from neotoma_core.errors import AnomalyFound
from neotoma_core.export.report import ExportReport
from neotoma_core.fleet.report import FleetReport
from neotoma_core.fleet.text import count_words
from neotoma_core.offsite.job import VerifyOutcome
from neotoma_core.offsite.verify_report import verification_text
from neotoma_core.push.job import PushOutcome
from neotoma_core.push.report import push_text
from neotoma_core.push.unattended import backup_line, push_line
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.text import plan_text, result_text
from neotoma_core.report.findings import Finding
from neotoma_core.schedule.job import ScheduledOutcome

ARTIFACT_KEY: Final = "recovery-report"
BACKUP_KEY: Final = "backup-report"
PUSH_KEY: Final = "push-report"
VERIFY_KEY: Final = "verify-remote-report"


class RunLog:
    """Progress as lines in the log of the task that makes it."""

    def begin(self, step: str, total: int | None = None) -> None:
        """Log that a step begins."""
        units = "" if total is None else f" ({total:,} units)"
        get_run_logger().info("%s%s", step, units)

    def advance(self, units: int) -> None:
        """Say nothing: a log line per block would drown the others."""


def record_report(report: RecoveryReport) -> None:
    """Log what a recovery did and store its report with the run."""
    log = get_run_logger()
    for backup in report.backups:
        counts = (backup.label, backup.observations, backup.adds)
        log.info("%s: %d observations, adds %d", *counts)
    for unused in report.not_used:
        log.warning("not used: %s: %s", unused.path, unused.reason)
    before, after = report.before, report.after
    log.info("%s: %d rows written", report.outcome, report.writes)
    log.info("observations: %d before, %d after", before.observations, after.observations)
    log.info("entities: %d before, %d after", before.entities, after.entities)
    create_markdown_artifact(_as_markdown(report), ARTIFACT_KEY, f"Recovery of {report.target}")


def record_scheduled(outcome: ScheduledOutcome) -> None:
    """Log how the backup of one database ended, and store its report with the run."""
    log = get_run_logger()
    if outcome.report is None:
        level = logging.INFO if outcome.event is None else logging.ERROR  # not due, or failed
        log.log(level, "%s: %s", outcome.target, "; ".join(outcome.reasons))
        return
    report = outcome.report
    log.info("%s", backup_line(report))
    for untold in report.untold:
        log.warning("%s: %s", outcome.target, untold)
    rotated = prune_text(report.rotation) if report.rotation else "not rotated: vault in use"
    text = f"{backup_text(report.backup)}\n{rotated}"
    markdown = f"```text\n{text}\n```\n\n```json\n{report.backup.to_json()}\n```\n"
    create_markdown_artifact(markdown, BACKUP_KEY, f"Backup of {outcome.target}")


def record_push(outcome: PushOutcome) -> None:
    """Log how a push ended, and store its report with the run."""
    log = get_run_logger()
    for untold in outcome.untold:
        log.warning("%s: %s", outcome.target, untold)
    if outcome.report is None:
        return  # the error is the run's own
    report = outcome.report
    if report.outcome != "held":
        log.info("%s", push_line(Path(outcome.target), report))
    for alarm in report.alarms:
        log.error("held back: %s: %s", outcome.target, alarm)
    markdown = f"```text\n{push_text(report)}\n```\n\n```json\n{report.to_json()}\n```\n"
    create_markdown_artifact(markdown, PUSH_KEY, f"Push of {outcome.target} to {report.remote}")


def record_verification(outcome: VerifyOutcome) -> None:
    """Log how the verification of a remote ended, and store its report with the run."""
    log = get_run_logger()
    if not outcome.told:
        log.warning("not every notification could be sent")
    if outcome.report is None:
        return  # the error is the run's own
    report = outcome.report
    if report.outcome == "inconclusive":
        log.warning("%s: not everything could be checked", report.remote)
    markdown = f"```text\n{verification_text(report)}\n```\n\n```json\n{report.to_json()}\n```\n"
    create_markdown_artifact(markdown, VERIFY_KEY, f"Verification of {report.remote}")


def record_fleet(report: FleetReport) -> None:
    """Log how each database of a fleet ended, store the table, and emit an event per alarm."""
    log = get_run_logger()
    for row in report.rows:
        if not row.is_alarming:
            continue
        log.error("%s: %s: %s", row.label, row.outcome, row.said)
        lost = row.error == AnomalyFound.__name__ or row.code == AnomalyFound.exit_code
        event = "midden.anomaly" if lost else f"midden.{report.operation}-failed"
        resource = {"prefect.resource.id": f"midden.database.{row.name}"}
        emit_event(event, resource, payload={"reasons": [row.said], "code": row.code})
    log.info("%s: %s", report.operation, count_words(report.rows))
    table = [
        {
            "database": row.label,
            "outcome": row.outcome,
            "code": row.code,
            "seconds": row.seconds,
            "attempts": row.attempts,
            "what happened": row.said,
        }
        for row in report.rows
    ]
    key = f"fleet-{report.operation}"
    create_table_artifact(table, key, f"{report.operation}: {count_words(report.rows)}")


def _as_markdown(report: RecoveryReport) -> str:
    text = f"{plan_text(report)}\n{result_text(report)}"
    return f"```text\n{text}\n```\n\n```json\n{report.to_json()}\n```\n"


def record_archive(report: ArchiveReport) -> None:
    """Log what an archive gained and store it with the run, table by table."""
    get_run_logger().info("%s: %d versions appended", report.outcome, report.appended)
    rows = [
        {"table": t.table, "rows": t.rows, "appended": t.appended, "gone": t.gone}
        for t in report.archived
    ]
    create_table_artifact(rows, "archive-tables", f"What {report.archive} gained")
    _warn(report.findings)


def record_compaction(report: CompactionReport) -> None:
    """Log what a compaction did and store it with the run, table by table."""
    old = sum(table.old_files for table in report.compacted)
    get_run_logger().info("%s: %d old files removed", report.outcome, old)
    rows = [dataclasses.asdict(table) for table in report.compacted]
    create_table_artifact(rows, "compaction-tables", f"Compaction of {report.archive}")


def record_export(report: ExportReport) -> None:
    """Log what was exported and store it with the run, file by file."""
    rows = [dataclasses.asdict(file) for file in report.files]
    written = sum(file.rows for file in report.files)
    get_run_logger().info("%d rows in %d files", written, len(rows))
    create_table_artifact(rows, "export-tables", f"Export of {report.source}")
    _warn(report.findings)


def _warn(findings: Iterable[Finding]) -> None:
    for finding in findings:
        get_run_logger().warning("%s: %s: %s", finding.kind, finding.subject, finding.detail)
