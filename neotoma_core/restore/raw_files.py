"""Bringing raw files back with a restored database, to where Neotoma looks for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from neotoma_core.backup.raw_files import names_of_raw_files
from neotoma_core.erased.files import find_erased_files
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erasure.copies import Cleaned
from neotoma_core.errors import BackupNotIntact
from neotoma_core.files.compressed import NotIntact
from neotoma_core.neotoma.environments import Environment
from neotoma_core.restore.restorable import Restorable
from neotoma_core.restore.sources import RestoreSource
from neotoma_core.vault.backups import read_raw_list
from neotoma_core.vault.blobs import blob_sizes, restore_blobs
from neotoma_core.vault.raw_files import copy_raw_files, raw_file_names
from neotoma_core.vault.raw_folders import folders_beside, folders_in_use


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """Raw files of a restore.

    ``restored``: how many were not there; ``lost``: how many the source should have, and has no
    longer as they were. ``missing``: how many the database names that are nowhere now; ``place``:
    the folder that Neotoma looks in.
    """

    restored: int
    lost: int
    missing: int
    place: Path


@dataclass(frozen=True, slots=True)
class PutBack:
    """What takes a target's place.

    ``found``: what the source holds; ``cleaned``: the same without what was ``erased`` since, None
    where it is a damaged database.
    """

    source: RestoreSource
    found: Restorable
    cleaned: Cleaned | None
    erased: ErasedIds

    @property
    def whole(self) -> Path | None:
        """The sound file, if it is one."""
        return self.cleaned.whole if self.cleaned else None

    @property
    def rows_left_out(self) -> int:
        """How many rows were left out, since they were erased."""
        return self.cleaned.rows if self.cleaned else 0


@dataclass(frozen=True, slots=True)
class RawTarget:
    """The database whose raw files come back.

    ``environment``: of it, or else of what is put back. ``raw_storage``: where Neotoma keeps its
    raw files, if not next to it.
    """

    target: Path
    environment: Environment
    vault: Path
    raw_storage: Path | None


def bring_back(put_back: PutBack, to: RawTarget, scratch: Path) -> BroughtBack:
    """Copy raw files to where Neotoma looks for them; what is there already stays.

    What the database names and its source does not have may be in the vault, or in a folder where
    Neotoma does not look. What is erased, or only rows that were left out named, stays out, unless
    the database names that. Raises BackupNotIntact.
    """
    source, cleaned = put_back.source, put_back.cleaned
    own, *others = folders_in_use(to.target, to.environment, to.raw_storage)
    wanted = names_of_raw_files(cleaned.whole) if cleaned else set()
    left_out = cleaned.files - wanted if cleaned else frozenset()

    def allow(names: Iterable[str]) -> list[str]:
        offered = list(names)
        gone = find_erased_files(put_back.erased, offered, wanted) | left_out
        return [name for name in offered if name not in gone]

    restored, lost = 0, set[str]()
    if source.backup is not None:
        listed = allow(_list_files(source, scratch))
        restored, gone = restore_blobs(source.vault, listed, own.path)
        lost.update(gone)
    beside = [
        f for place in put_back.found.raw_places for f in folders_beside(place, to.environment)
    ]
    for folder in (*beside, *others):
        names = allow(raw_file_names(folder.path))
        if folder.shared:
            names = [name for name in names if name in wanted]
        absent = [name for name in names if not (own.path / name).exists()]
        _, failed = copy_raw_files(folder.path, absent, own.path)
        restored += len(absent) - len(failed)
        lost.update(failed)
    absent = sorted(name for name in wanted if not (own.path / name).exists())
    kept, _ = restore_blobs(to.vault, blob_sizes(to.vault, absent), own.path)
    here = set(raw_file_names(own.path))
    return BroughtBack(restored + kept, len(lost - here), len(wanted - here), own.path)


def _list_files(source: RestoreSource, scratch: Path) -> list[str]:
    """Return the raw files of a backup; raises BackupNotIntact."""
    backup = source.backup
    assert backup is not None  # noqa: S101 - only of backups
    try:
        listed = read_raw_list(source.folder, backup.manifest, scratch)
    except NotIntact as error:
        raise BackupNotIntact(backup.name, error.wrong) from None
    return [name.partition("/")[2] for name in listed]
