"""Archiving and exporting as steps that may each be repeated, for whoever schedules them."""

from datetime import datetime
from pathlib import Path

from neotoma_core.archive.append import ArchiveRequest, append_database
from neotoma_core.archive.report import ArchiveReport
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy


def archive_target(
    target: Path, vault: Path, request: ArchiveRequest, now: datetime, progress: Progress
) -> ArchiveReport:
    """Copy a database and append what is new in it. Raises what ``append_database`` raises."""
    with private_copy(Whereabouts(target, vault), now) as copy:
        return append_database(copy, request, progress)
