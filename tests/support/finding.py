"""Searching and composing, as tests call it."""

import tempfile
from datetime import datetime
from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.find.search import SearchRequest
from neotoma_core.merge.policy import MergeMode, MergePolicy
from neotoma_core.recovery.recover import plan_only, recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.composed import compose_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from tests.conftest import NOW


def recover_from(
    target: Path,
    *places: Path,
    vault: Path | None = None,
    dry_run: bool = False,
    now: datetime = NOW,
    key: KeySource | None = None,
    mode: MergeMode = "keep-target",
) -> RecoveryReport:
    """Recover ``target`` from what is found below ``places``."""
    kept = vault or Path(tempfile.mkdtemp(dir=target.parent, prefix="vault-"))
    policy = MergePolicy(mode)
    request = RecoverRequest(target=target, backups=(), vault=kept, key=key, policy=policy)
    with compose_run(request, SearchRequest(places, key=key), now, Silent()) as run:
        if dry_run:
            return plan_only(run, Silent())
        return recover(run, lambda _: True, Silent())
