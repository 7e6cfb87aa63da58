"""The raw files of a database that a log lacks, kept in the vault before they are shipped."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neotoma_core.backup.raw_files import names_of_raw_files
from neotoma_core.erased.files import find_erased_files
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.vault.blobs import add_blobs, blob_sizes
from neotoma_core.vault.raw_files import raw_file_names
from neotoma_core.vault.raw_folders import folders_in_use

if TYPE_CHECKING:
    from neotoma_core.runs.private_copy import PrivateCopy

_FILES_AT_ONCE: Final = 1_000
_BYTES_AT_ONCE: Final = 64 << 20


def keep_new_raw_files(
    copy: "PrivateCopy", raw_storage: Path | None, shipped: AbstractSet[str]
) -> dict[str, int]:
    """Bring the raw files that were not shipped into the vault; return sizes by name.

    Those that the database names and only the vault still has are among them; what was erased, and
    no source names, is not.
    """
    vault = copy.run.folders.vault
    erased = read_erased(vault)
    wanted = names_of_raw_files(copy.whole)
    sizes: dict[str, int] = {}
    environment = environment_of(copy.original.name)
    for folder in folders_in_use(copy.original, environment, raw_storage):
        names = [name for name in raw_file_names(folder.path) if name not in shipped]
        if folder.shared:
            names = [name for name in names if name in wanted]
        gone = find_erased_files(erased, names, wanted)
        fresh = [name for name in names if name not in gone and name not in sizes]
        sizes |= add_blobs(vault, folder.path, fresh)[0]
    held = blob_sizes(vault, sorted(wanted - sizes.keys() - shipped))
    return {**held, **sizes}


def has_new_raw_files(target: Path, raw_storage: Path | None, shipped: AbstractSet[str]) -> bool:
    """Return whether the folders of a database have raw files that were not shipped, by name."""
    folders = folders_in_use(target, environment_of(target.name), raw_storage)
    return any(
        name not in shipped
        for folder in folders
        if not folder.shared
        for name in raw_file_names(folder.path)
    )


def batches(sizes: Mapping[str, int]) -> list[dict[str, int]]:
    """Return raw files, sizes by name, in batches that one entry each names."""
    found: list[dict[str, int]] = []
    room = 0
    for name in sorted(sizes):
        if not found or len(found[-1]) == _FILES_AT_ONCE or room < sizes[name]:
            found.append({})
            room = _BYTES_AT_ONCE
        found[-1][name] = sizes[name]
        room -= sizes[name]
    return found
