"""Appending a recovered target to its vault's archive: after the commit, and never against it."""

import logging
from dataclasses import replace

from neotoma_core.archive.append import ArchiveRequest, append_database, default_archive
from neotoma_core.archive.report import ArchiveReport
from neotoma_core.errors import MiddenError, without_panic
from neotoma_core.recovery.report import ArchivedSummary, RecoveryReport
from neotoma_core.recovery.run.request import RecoveryRun
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.commands import command_again
from neotoma_core.runs.private_copy import copy_into_scratch

_log = logging.getLogger(__name__)


def archive_recovered(
    run: RecoveryRun, report: RecoveryReport, progress: Progress
) -> RecoveryReport:
    """Return the report of a recovery that was published, once the target is archived too.

    Whatever goes wrong here is a finding: the recovery is committed, and stays.
    """
    place = default_archive(run.folders.vault)

    def append() -> ArchiveReport:
        copy = copy_into_scratch(run)
        return append_database(
            copy, ArchiveRequest(place, run.request.allow_environment_mismatch), progress
        )

    try:
        added = without_panic("archiving", append)
    except MiddenError as error:
        return _report_failure(report, str(place), str(error))
    except Exception as error:  # noqa: BLE001 - committed already; the error may hold values
        _log.warning("archive after recovery failed", extra={"error": type(error).__name__})
        return _report_failure(report, str(place), f"an error of the kind {type(error).__name__}")
    summary = ArchivedSummary(added.archive, added.appended, added.gone)
    return replace(report, archived=summary, findings=(*report.findings, *added.findings))


def _report_failure(report: RecoveryReport, place: str, wrong: str) -> RecoveryReport:
    again = command_again("archive")
    detail = f"{wrong}; the recovery stands; once this is put right, run: {again}"
    return replace(report, findings=(*report.findings, Finding("archive-failed", place, detail)))
