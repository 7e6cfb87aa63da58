"""Reading archives in processes of their own; see ``reading``.

Their logs and files are read by libraries that a crafted one may crash or keep for ever.
"""

import os
import shutil
from pathlib import Path

from neotoma_core.archive_tables.as_backup import SecuredArchive
from neotoma_core.comparison.holdings import Coder
from neotoma_core.documents.models import NotAsModelled
from neotoma_core.errors import BackupError, BackupUnreadable, reason_of
from neotoma_core.workers.archive_answers import (
    LookedInto,
    SurveyedArchive,
    read_looked,
    secured_from_plain,
    surveyed_from_plain,
)
from neotoma_core.workers.process import GaveUp, Task
from neotoma_core.workers.reading import SENSELESS, Apart

_ADVICE = "restore it from a copy, or use another backup"
_DATABASE = "archived.db"  # whatever the archive is called: "." has no name


def survey_archive_apart(apart: Apart, archive: Path) -> SurveyedArchive:
    """Return what is to be known of an archive first; raises BackupUnreadable."""
    task = Task("survey archive", archive, bytes_in(archive), apart.allowance)
    try:
        return surveyed_from_plain(apart.workers.ask(task).read)
    except GaveUp as gave_up:
        why = str(gave_up)
    except NotAsModelled:
        why = SENSELESS
    raise BackupUnreadable(archive, why, _ADVICE)


def secure_archive_apart(
    apart: Apart, archive: Path, folder: Path, *, skip_unreadable: bool
) -> SecuredArchive:
    """Build the database of an archive as ``as_backup.secure_archive`` does, within an allowance.

    ``folder``: it is created. Raises BackupUnreadable, BackupDamaged: then it is gone again.
    """
    words = {"skip_unreadable": skip_unreadable, "database": _DATABASE}
    task = Task("secure archive", archive, bytes_in(archive), apart.allowance, folder, words)
    try:
        return secured_from_plain(apart.workers.ask(task).read, archive, folder / _DATABASE)
    except GaveUp as gave_up:
        why = str(gave_up)
    except NotAsModelled:
        why = SENSELESS
    except BackupError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    task.clear()
    raise BackupUnreadable(archive, why, _ADVICE)


def look_into_archive_apart(apart: Apart, archive: Path, coder: Coder) -> LookedInto:
    """Prove every row of an archive and say what it holds; what is wrong with it is never raised.

    ``coder``: by the setting of the processes.
    """
    task = Task("look into archive", archive, bytes_in(archive), apart.allowance)
    try:
        answer = apart.workers.ask(task)
        return read_looked(answer.read, answer.tables, coder)
    except GaveUp as error:
        return LookedInto(str(error))
    except OSError as error:
        return LookedInto(reason_of(error))
    except NotAsModelled:
        return LookedInto(SENSELESS)


def bytes_in(folder: Path) -> int:
    """Return how many bytes the files below a folder have on the disk; links lead nowhere."""
    return sum(
        512 * os.lstat(os.path.join(parent, name)).st_blocks  # noqa: PTH118 - of very many files
        for parent, _, names in os.walk(folder)
        for name in names
    )
