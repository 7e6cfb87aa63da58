"""Restoring from evidence, as tests call it: the undo of whatever took it."""

from datetime import datetime
from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.guard.guard import UNATTENDED, Guard
from neotoma_core.report.progress import Progress
from neotoma_core.restore.report import RestoreReport
from neotoma_core.restore.restore import RestoreRequest, restore
from neotoma_core.restore.sources import find_source


def restore_evidence(
    evidence: Path,
    target: Path,
    vault_folder: Path,
    now: datetime,
    progress: Progress,
    *,
    key: KeySource | None = None,
    guard: Guard = UNATTENDED,
) -> RestoreReport:
    """Put ``target`` back to the copy in ``evidence``."""
    source = find_source(str(evidence), vault_folder)
    request = RestoreRequest(source, target, vault_folder, key, guard=guard)
    return restore(request, now, progress)
