"""Raw files in the vault, shared by all backups: ``blobs/ab/<sha256>``.

Invariant: a name is only ever given to bytes with that SHA-256, and is never written to again.
Write order: copies under temporary names → renamed → synced, before the manifest that names them.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from neotoma_core.store.atomic import reached, sync_file, sync_folder
from neotoma_core.store.copies import CHUNK
from neotoma_core.store.raw_files import copy_verified

_FOLDER: Final = "blobs"
_PREFIX: Final = 2
_MANY: Final = 100


def digest_of(name: str) -> str:
    """Return the hash in the name of a raw file, ``<user id>/<sha256>``."""
    return name.rpartition("/")[2]


def blob_path(vault: Path, digest: str) -> Path:
    """Return where the bytes with a hash are, or would be."""
    return vault / _FOLDER / digest[:_PREFIX] / digest


def add_blobs(vault: Path, folder: Path, names: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """Keep the named raw files of a folder; return their sizes, and the names of damaged ones.

    What is there already is not read again.
    """
    sizes: dict[str, int] = {}
    damaged: list[str] = []
    written: list[Path] = []
    for name in names:
        blob = blob_path(vault, digest_of(name))
        if blob.exists():
            sizes[name] = blob.stat().st_size
            continue
        blob.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        size = copy_verified(f"{folder}/{name}", str(blob), mode=0o600)
        if size is None:
            damaged.append(name)
        else:
            sizes[name] = size
            written.append(blob)
    if written:
        reached("temp_written")
        _sync(written)
        reached("folder_synced")
    return sizes, damaged


def restore_blobs(vault: Path, names: Iterable[str], folder: Path) -> tuple[int, list[str]]:
    """Copy the named raw files into a folder; return how many, and the names that are lost.

    What is there already under its name stays.
    """
    copied: list[Path] = []
    lost: list[str] = []
    for name in names:
        place = folder / name
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        blob = blob_path(vault, digest_of(name))
        if copy_verified(str(blob), str(place), mode=0o644) is None:
            lost.append(name)
        else:
            copied.append(place)
    _sync(copied)
    return len(copied), lost


def _sync(written: Sequence[Path]) -> None:
    """Force files to the disk: a few one by one, many in one call for all the machine has."""
    if len(written) > _MANY:
        os.sync()
        return
    for path in written:
        sync_file(path)
    for folder in {parent for path in written for parent in (path.parent, path.parent.parent)}:
        sync_folder(folder)


def damaged_blobs(vault: Path, digests: Iterable[str]) -> Iterator[str]:
    """Yield the hashes whose bytes are missing or are others."""
    for expected in digests:
        digest = hashlib.sha256()
        try:
            with blob_path(vault, expected).open("rb", buffering=0) as file:
                while block := file.read(CHUNK):
                    digest.update(block)
        except OSError:
            yield expected
            continue
        if digest.hexdigest() != expected:
            yield expected


def remove_blobs(vault: Path, wanted: Collection[str]) -> tuple[int, int]:
    """Remove all but the wanted hashes; return how many went, and their bytes."""
    removed = size = 0
    for path in sorted((vault / _FOLDER).glob("*/*")):
        if path.name not in wanted:
            size += path.stat().st_size
            path.unlink()
            removed += 1
    return removed, size
