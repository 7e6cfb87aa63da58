"""What of what was erased a backup still holds: rows, raw files, logs."""

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.backup.raw_files import find_logs_in
from neotoma_core.erased.files import CONTENTS, content_of, find_erased_files
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import RAW_FILES, read_all
from neotoma_core.erasure.held.copy import read_held
from neotoma_core.erasure.plan import ErasurePlan, plan_erasure
from neotoma_core.erasure.raw_files import files_staying
from neotoma_core.files.compressed import decompress_file
from neotoma_core.files.keys import KeySource
from neotoma_core.neotoma.times import iso
from neotoma_core.report.progress import Progress
from neotoma_core.vault.backups import FOLDER, LOGS, read_raw_list
from neotoma_core.vault.folder import RunFolders
from neotoma_core.vault.manifests import Backup
from neotoma_core.vault.stored_backup import restore_database


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What is forgotten, where and when. ``key``: of encrypted columns, if any."""

    folders: RunFolders
    erased: ErasedIds
    now: datetime
    key: KeySource | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class Held:
    """A backup, restored, and what in it is erased.

    ``sizes``: of its raw files, by ``<folder>/<user>/<sha256>``; ``erased_files``: those that go.
    ``logs``: its logs by their place next to the database, ``erased_logs``: those that go.
    """

    whole: Path
    plan: ErasurePlan
    sizes: Mapping[str, int]
    erased_files: frozenset[str]
    logs: Mapping[str, Path]
    erased_logs: frozenset[str]

    @property
    def is_clean(self) -> bool:
        """Whether nothing that was erased is in it."""
        return not (self.plan.writes or self.erased_files or self.erased_logs)


def read_backup_held(forgetting: Forgetting, backup: Backup, scratch: Path) -> Held:
    """Restore a backup into ``scratch`` and look for what was erased.

    Raises BackupNotIntact, NotIntact, BackupError, KeyMissing, KeyWrong.
    """
    erased = forgetting.erased
    folder = forgetting.folders.vault / FOLDER / backup.name
    whole = scratch / "whole.db"
    restore_database(folder, backup, whole)
    held = read_held(whole, Path(backup.name), forgetting.key)
    plan = plan_erasure(held, erased.find_in(read_all(held.tables)), iso(forgetting.now))
    sizes = read_raw_list(folder, backup.manifest, scratch)
    logs = _unpack_logs(folder, backup, scratch / "logs")
    return Held(
        whole,
        plan,
        sizes,
        frozenset(_files_going(plan, sizes, erased)),
        logs,
        frozenset(name for name, path in logs.items() if find_logs_in([path], erased)),
    )


def _files_going(plan: ErasurePlan, sizes: Mapping[str, int], erased: ErasedIds) -> set[str]:
    """Return the raw files that are of what was erased, and that no source which stays names."""
    named = {name: name.partition("/")[2] for name in sizes}
    staying = files_staying(plan)
    gone = find_erased_files(erased, named.values(), staying)
    gone |= plan.ids.get(RAW_FILES, frozenset()) - staying
    contents = plan.ids.get(CONTENTS, frozenset())
    gone |= {name for name in named.values() if content_of(name) in contents} - staying
    return {name for name, called in named.items() if called in gone}


def _unpack_logs(folder: Path, backup: Backup, scratch: Path) -> dict[str, Path]:
    """Return the logs of a backup by their names, each a file of its own in ``scratch``."""
    stored = next((file for file in backup.manifest.files if file.name == LOGS), None)
    if stored is None:
        return {}
    scratch.mkdir(mode=0o700)
    plain = scratch / "logs.tar"
    decompress_file(folder, stored, plain)
    logs: dict[str, Path] = {}
    with tarfile.open(plain) as archive:
        for number, member in enumerate(archive.getmembers()):
            file = archive.extractfile(member) if member.isreg() else None
            if file is not None:
                logs[member.name] = scratch / str(number)
                logs[member.name].write_bytes(file.read())
    plain.unlink()
    return logs
