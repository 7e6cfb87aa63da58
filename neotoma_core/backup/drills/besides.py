"""A database of the very bytes that another backup holds: what a drill proved of those, holds."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from neotoma_core.backup.drills.drill import (
    Course,
    Drilling,
    check_raw_files,
    clear_after,
    conclude,
    drill_backup,
)
from neotoma_core.files.compressed import check_file
from neotoma_core.vault.backups import FOLDER
from neotoma_core.vault.manifests import Backup, Drill

_FRESH: Final = timedelta(days=7)
"""How long a drill counts for backups taken later; then the bytes are restored once more."""


def find_proven(plain_sha256: str, backups: Sequence[Backup], now: datetime) -> Backup | None:
    """Return the backup whose last drill restored a database of these bytes a short while ago.

    ``backups``: oldest first. None where no drill of theirs has done so to the end.
    """
    for backup in reversed(backups):
        drill = backup.state.drill
        if (
            backup.manifest.database.plain_sha256 == plain_sha256
            and backup.manifest.faults is not None
            and drill is not None
            and backup.state.is_verified
            and drill.level == "recomputed"
            and timedelta(0) <= now - drill.at <= _FRESH
        ):
            return backup
    return None


def drill_beside(drilling: Drilling, backup: Backup, others: Sequence[Backup]) -> Drill:
    """Drill a backup, its database only where no drill of ``others`` proves its bytes.

    What was proven is the file as it is stored; it is hashed again. Such a drill is as old as the
    other's, so that the next whole one is not put off. Never raises for what it finds.
    """
    stored = backup.manifest.database
    proven = find_proven(stored.plain_sha256, others, drilling.now)
    known = proven.state.drill if proven else None
    is_other = proven is None or proven.manifest.database != stored
    if proven is None or known is None or is_other or backup.state_lost:
        return drill_backup(drilling, backup)
    start = time.monotonic()
    scratch = drilling.work / f"drill-{backup.manifest.sequence}"
    with clear_after(scratch):
        course = Course(scratch, drifted=known.drifted)
        course.end(lambda: _check_besides(drilling, backup, course))
    drill = conclude(drilling, backup, course, time.monotonic() - start)
    if drill.outcome != "pass":
        return drill
    same = known.same_as or proven.name
    return replace(drill, at=known.at, level=known.level, same_as=same)


def _check_besides(drilling: Drilling, backup: Backup, course: Course) -> None:
    folder = drilling.vault / FOLDER / backup.name
    for file in (backup.manifest.database, *backup.manifest.files):
        check_file(folder, file)
    course.level = "checksums"
    check_raw_files(drilling.vault, backup, course.scratch)
