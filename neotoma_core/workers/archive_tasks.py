"""What the process that reads files from outside does with archives; see ``program``.

It is apart from that, since what reads them takes a while to load.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neotoma_core.archive_tables.as_backup import (
    archive_bytes,
    environment_of_archive,
    secure_archive,
)
from neotoma_core.errors import BackupError
from neotoma_core.report.progress import Silent
from neotoma_core.workers.answers import Answer
from neotoma_core.workers.archive_answers import (
    SurveyedArchive,
    archive_refused_to_plain,
    secured_to_plain,
)


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
