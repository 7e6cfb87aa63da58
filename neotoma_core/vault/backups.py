"""The backups of a vault on disk.

::

    backups/<time>-<kind>-<sequence>/
        database.db.zst     one self-contained database, compressed; backups of a database that
                            did not change share one file, as links to it
        raw_files.json.zst  names and sizes of the raw files, whose bytes are in blobs/
        logs.tar.zst        where asked for
        manifest.json       what is in all of them; written last, never changed
        state.json          drills, alarms, acceptance, pin

Invariant: a backup is there whole, or not at all. Write order: all files in the scratch of the run,
each synced, the manifest last → the folder renamed into ``backups`` → ``backups`` synced. Removal:
the folder renamed into the scratch → ``backups`` synced → its files removed. Blobs are synced
before the manifest that names them, and removed after the last one that does.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from neotoma_core.documents.document import document_of
from neotoma_core.documents.models import NotAsModelled, read
from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.errors import VaultDamaged, done_besides, reason_of
from neotoma_core.files.atomic import announce, sync_folder, write_file
from neotoma_core.files.compressed import (
    SUFFIX,
    Decompress,
    NotIntact,
    check_file,
    compress_file,
    decompress_file,
)
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.environments import RAW_FOLDERS, STORED_FILE
from neotoma_core.vault.folder import BACKUPS, identifier_of, require_described
from neotoma_core.vault.manifests import (
    LOST_STATE,
    Backup,
    BackupState,
    Manifest,
    manifest_of,
    seal_line,
    state_of,
)

DATABASE: Final = f"database.db{SUFFIX}"
RAW_LIST: Final = f"raw_files.json{SUFFIX}"
LOGS: Final = f"logs.tar{SUFFIX}"
MANIFEST: Final = "manifest.json"
STATE: Final = "state.json"
_MOST_LISTED: Final = 1 << 30  # bytes: of about nine million raw files
_RAW_FILE: Final = re.compile(STORED_FILE)
FOLDER: Final = BACKUPS

STEPS: Final = (
    "database_shared",
    "manifest_written",
    "backup_installed",
    "backup_removed",
    "blobs_removed",
)
"""Where a crash test stops a run, besides the steps of ``atomic``."""


@dataclass(frozen=True, slots=True)
class Strange:
    """Something in ``backups`` that is not a backup of this vault, and why.

    ``doubtful``: it may be one, which cannot be read; then nothing may be removed. ``damaged``: it
    is one no longer, whoever reads it. ``backup``: what a copy, or a backup of another vault, is;
    its raw files may be in this one.
    """

    path: Path
    why: str
    doubtful: bool = False
    damaged: bool = False
    backup: Backup | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Every backup of a vault, in the order they were made, and what else there is."""

    backups: tuple[Backup, ...]
    strange: tuple[Strange, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything that may be a backup could be read, with what is known of it."""
        return not self.unread and not any(backup.state_lost for backup in self.backups)

    @property
    def unread(self) -> tuple[Strange, ...]:
        """What may be a backup that cannot be read."""
        return tuple(strange for strange in self.strange if strange.doubtful)

    @property
    def next_sequence(self) -> int:
        """The number of the next backup."""
        return max((b.manifest.sequence for b in self.backups), default=0) + 1


def list_backups(vault: Path) -> Listing:
    """Read every manifest; raises VaultDamaged where the folder itself cannot be read."""
    folder = vault / FOLDER
    try:
        entries = sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        advice = "restore it from a copy of the vault"
        if isinstance(error, PermissionError):
            advice = "give yourself permission to read it"
        raise VaultDamaged(folder, reason_of(error), advice) from error
    if entries:
        require_described(vault)
    own = identifier_of(vault)
    backups: list[Backup] = []
    strange: list[Strange] = []
    for entry in entries:
        found = _read_entry(entry)
        if isinstance(found, Strange):
            strange.append(found)
        elif found.name != entry.name:
            strange.append(Strange(entry, f"a copy of {found.name}", backup=found))
        elif found.manifest.vault != own:
            strange.append(Strange(entry, "a backup of another vault", backup=found))
        else:
            backups.append(found)
    backups.sort(key=lambda b: b.manifest.sequence)
    return Listing(tuple(backups), tuple(strange))


def read_backup(folder: Path) -> Backup:
    """Read one backup, also a copy of it elsewhere; raises VaultDamaged."""
    found = _read_entry(folder)
    if isinstance(found, Strange):
        raise VaultDamaged(folder, found.why, "choose another backup")
    return found


def write_manifest(folder: Path, manifest: Manifest, state: BackupState) -> None:
    """Write what makes a folder a backup: its state, and last its manifest."""
    write_file(folder / STATE, seal_line(state))
    write_file(folder / MANIFEST, seal_line(manifest))
    sync_folder(folder)
    announce("manifest_written")


def install_backup(folder: Path, vault: Path, name: str) -> Path:
    """Give a finished folder its place among the backups."""
    place = vault / FOLDER / name
    place.parent.mkdir(exist_ok=True, mode=0o700)
    sync_folder(vault)
    folder.rename(place)
    sync_folder(place.parent)
    done_besides("the backup that was taken")
    announce("backup_installed")
    return place


def write_state(vault: Path, name: str, state: BackupState) -> None:
    """Replace what is known of a backup."""
    write_file(vault / FOLDER / name / STATE, seal_line(state))


def set_aside(vault: Path, name: str, scratch: Path) -> None:
    """Take a backup away from the others in one step, into the scratch of a run."""
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    (vault / FOLDER / name).rename(scratch / name)
    done_besides("the backups that were removed")
    sync_folder(vault / FOLDER)
    announce("backup_removed")


def keep_database(
    whole: Path, digest: str, folder: Path, vault: Path, backups: Iterable[Backup]
) -> tuple[StoredFile, str]:
    """Keep a whole copy as the database of a backup, in its folder; return it.

    ``digest``: the SHA-256 of the copy. Where one of ``backups`` has the very same bytes, its file
    is shared, and its name is returned, too: one that is no longer what was stored is not shared.
    """
    for backup in backups:
        stored = backup.manifest.database
        if stored.plain_sha256 == digest and _share(vault / FOLDER / backup.name, stored, folder):
            return stored, backup.name
    return compress_file(whole, folder / DATABASE), ""


def _share(owner: Path, stored: StoredFile, folder: Path) -> bool:
    """Give an intact file a second name; False where it is not, or the file system has no links."""
    file = owner / stored.name
    if file.is_symlink():
        return False
    try:
        check_file(owner, stored)
        os.link(file, folder / DATABASE)
    except (NotIntact, OSError):
        return False
    announce("database_shared")
    return True


def bytes_on_disk(vault: Path, names: Iterable[str]) -> int:
    """Return how many bytes the files of some backups take; what they share counts once."""
    places = (path for name in names for path in (vault / FOLDER / name).rglob("*"))
    found = [path.lstat() for path in places]
    return sum({(one.st_dev, one.st_ino): one.st_size for one in found}.values())


def write_raw_list(folder: Path, sizes: dict[str, int], scratch: Path) -> StoredFile:
    """Write the names and sizes of raw files, compressed."""
    plain = scratch / "raw_files.json"
    plain.write_bytes(orjson.dumps(sizes, option=orjson.OPT_SORT_KEYS))
    return compress_file(plain, folder / RAW_LIST)


def read_raw_list(
    folder: Path,
    manifest: Manifest,
    scratch: Path,
    decompress: Decompress = decompress_file,
) -> dict[str, int]:
    """Return the size of each raw file of a backup by name; raises NotIntact."""
    for file in manifest.files:
        if file.name == RAW_LIST:
            if file.plain_size > _MOST_LISTED:
                raise NotIntact(RAW_LIST, "too large for a list of raw files")
            plain = scratch / f"{manifest.name}-raw_files.json"
            decompress(folder, file, plain)
            try:
                return _sizes_in(plain.read_bytes())
            except ValueError:
                raise NotIntact(RAW_LIST, "not a list of raw files") from None
            finally:
                plain.unlink()
    return {}


def _sizes_in(content: bytes) -> dict[str, int]:
    """Return the sizes by name; raises ValueError where a name would lead out of its folder."""
    sizes: dict[str, int] = read(Mapping[str, int], document_of(content), "sizes")
    places = [name.partition("/") for name in sizes]
    if not all(f in RAW_FOLDERS.values() and _RAW_FILE.fullmatch(n) for f, _, n in places):
        raise NotAsModelled("sizes", "by the names of raw files")
    return sizes


def _read_entry(entry: Path) -> Backup | Strange:
    manifest_path = entry / MANIFEST
    try:
        if not entry.is_dir() or entry.is_symlink():
            return Strange(entry, "not a backup's folder")
        if not manifest_path.exists():
            lost = any((entry / name).exists() for name in (DATABASE, RAW_LIST, STATE))
            return Strange(entry, "no manifest", doubtful=lost, damaged=lost)
        manifest = manifest_of(read_small(manifest_path))
    except OSError as error:
        return Strange(entry, reason_of(error), doubtful=True)
    except ValueError:
        return Strange(entry, "its manifest is not what was written", doubtful=True, damaged=True)
    return _with_state(entry, manifest)


def _with_state(entry: Path, manifest: Manifest) -> Backup:
    try:
        return Backup(manifest, state_of(read_small(entry / STATE)))
    except (OSError, ValueError):
        return Backup(manifest, LOST_STATE, state_lost=True)


def leftovers(vault: Path) -> Iterator[Path]:
    """Yield hidden temporary files that a killed run left next to a state."""
    yield from (vault / FOLDER).glob("*/.*.midden.tmp")
