"""What the process that reads files from outside does with archives; see ``program``.

It is apart from that, since what reads them takes a while to load.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neotoma_core.archive_tables.as_backup import (
    archive_bytes,
    environment_of_archive,
    secure_archive,
)
from neotoma_core.archive_tables.holdings import read_archived_holdings
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.comparison.holdings import Coder
from neotoma_core.errors import ArchiveError, BackupError
from neotoma_core.report.layout import escape_name
from neotoma_core.report.progress import Silent
from neotoma_core.workers.answers import Answer
from neotoma_core.workers.archive_answers import (
    LookedInto,
    SurveyedArchive,
    archive_refused_to_plain,
    plain_of_looked,
    secured_to_plain,
)
from neotoma_core.workers.framing import from_bytes
from neotoma_core.workers.setting import setting_from_plain


def survey_archive(task: Mapping[str, Any]) -> Answer:
    """Say what is to be known of an archive first."""
    path = Path(task["path"])
    return {"read": asdict(SurveyedArchive(environment_of_archive(path), archive_bytes(path)))}, {}


def secure_one_archive(task: Mapping[str, Any]) -> Answer:
    """Build the database that an archive describes, and hash the archive's files."""
    path, folder = Path(task["path"]), Path(task["folder"])
    folder.mkdir(mode=0o700)
    database, skip = folder / task["database"], task["skip_unreadable"]
    try:
        secured = secure_archive(path, database, Silent(), skip_unreadable=skip)
    except BackupError as error:
        return {"read": archive_refused_to_plain(error, path)}, {}
    return {"read": secured_to_plain(secured, path)}, {}


def look_into_archive(task: Mapping[str, Any], setting: bytes) -> Answer:
    """Prove every row of an archive, and say what it holds, by the setting in some bytes."""
    coder = Coder(setting_from_plain(from_bytes(setting)).erased)
    read, tables = plain_of_looked(_look_into(Path(task["path"]), coder), coder)
    return {"read": read}, tables


def _look_into(path: Path, coder: Coder) -> LookedInto:
    try:
        wrong = _wrong_with(path)
        if wrong is not None:
            return LookedInto(wrong)
        holdings, appended = read_archived_holdings(open_archive(path), coder)
    except ArchiveError as error:
        return LookedInto(error.wrong)
    return LookedInto(None, holdings, appended, environment_of_archive(path))


def _wrong_with(path: Path) -> str | None:
    """Return what an archive lacks; None where all that was committed to it is there.

    Without a record of its commits, a file that none of them names is a sign of a lost one.
    """
    verified = verify_archive(path, Silent())
    unrecorded = any(finding.kind == "archive-unrecorded" for finding in verified.findings)
    for finding in verified.findings:
        if finding.kind == "archive-damaged" or (unrecorded and finding.kind == "archive-unnamed"):
            place = Path(finding.subject)
            with suppress(ValueError):
                place = place.relative_to(path)
            return escape_name(f"{place}: {finding.detail}")
    return None
