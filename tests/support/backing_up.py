"""A vault for tests of backups, and a database that it protects."""

import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from neotoma_core.backup.drills.drill import DrillRules
from neotoma_core.backup.listing import accept_loss, list_vault
from neotoma_core.backup.report import BackupList, BackupReport, VerifyReport
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.backup.verify import VerifyRequest, verify_backups
from neotoma_core.files.keys import KeySource
from neotoma_core.guard.guard import Guard
from neotoma_core.report.progress import Progress, Silent
from neotoma_core.restore.report import RestoreReport
from neotoma_core.restore.restore import RestoreRequest, restore
from neotoma_core.restore.sources import find_source
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.manifests import Backup
from tests.conftest import NOW
from tests.support.databases import entity, make_database, observation

PERMISSIVE = Guard(lambda _: True)
HASH = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"
SILENT = Silent()


@dataclass
class Vault:
    """A vault and its database; each backup is an hour later than the one before."""

    folder: Path
    now: datetime = NOW

    @property
    def target(self) -> Path:
        return self.folder / "data" / "neotoma.prod.db"

    @property
    def vault(self) -> Path:
        return self.folder / "vault"

    @property
    def backups(self) -> tuple[Backup, ...]:
        return list_backups(self.vault).backups

    def place(self, number: int = 1) -> Path:
        """Return the folder of one backup."""
        return next((self.vault / "backups").glob(f"*-{number:04}"))

    def back_up(
        self,
        *,
        drill: bool = True,
        logs: bool = False,
        expect_empty: bool = False,
        kind: str = "manual",
        target: Path | None = None,
        key: KeySource | None = None,
        raw_storage: Path | None = None,
        progress: Progress = SILENT,
    ) -> BackupReport:
        self.now += timedelta(hours=1)
        request = BackupRequest(
            target or self.target, self.vault, kind, drill, logs, expect_empty, key, raw_storage
        )
        return back_up(request, self.now, progress)

    def list_backups(self) -> BackupList:
        return list_vault(self.vault, self.now)

    def accept(self, name: str) -> None:
        accept_loss(self.vault, name, "it was meant", self.now)

    def verify(self, *names: str, rules: DrillRules | None = None) -> VerifyReport:
        request = VerifyRequest(
            self.target, self.vault, names, all=not names, rules=rules or DrillRules()
        )
        return verify_backups(request, self.now, Silent())

    def restore(
        self, source: str, target: Path | None = None, **means: bool | Path
    ) -> RestoreReport:
        self.now += timedelta(hours=1)
        found = find_source(source, self.vault, target or self.target)
        request = RestoreRequest(found, target or self.target, self.vault, guard=PERMISSIVE)
        return restore(replace(request, **means), self.now, Silent())  # type: ignore[arg-type]


def small_vault(folder: Path, observations: int = 40) -> Vault:
    """Return a vault with a database of so many observations and one raw file; no backup yet."""
    world = Vault(folder)
    fill(world.target, observations)
    raw = folder / "data" / "sources_prod" / "u1" / HASH
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"hello")
    return world


def fill(path: Path, observations: int, first: int = 0) -> None:
    """Make the database again, with so many observations of as many entities."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    numbers = range(first, first + observations)
    make_database(
        path,
        {
            "sources": [{"id": "s1", "storage_url": f"u1/{HASH}", "content_hash": HASH}],
            "entities": [entity(f"e{n:04}") for n in numbers],
            "observations": [observation(f"o{n:04}", f"e{n:04}") for n in numbers],
        },
    )


def copy_vault(template: Vault, folder: Path) -> Vault:
    """Return a copy of a vault and its database, to be changed."""
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    return Vault(folder, template.now)
