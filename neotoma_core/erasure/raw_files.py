"""Raw files of erased sources: which are there, and removing them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from neotoma_core.erased.files import CONTENTS, content_of, find_erased_files
from neotoma_core.erased.naming import RAW_FILES, SOURCES
from neotoma_core.erasure.plan import ErasurePlan
from neotoma_core.ledger.file import Ledger
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.vault.raw_files import raw_file_names, remove_raw_files
from neotoma_core.vault.raw_folders import RawFolder


@dataclass(frozen=True, slots=True)
class ErasedRawFiles:
    """Files to remove: (folder, relative name) of each, and their bytes together."""

    names: tuple[tuple[Path, str], ...]
    bytes: int

    def remove(self) -> None:
        """Remove them; what is gone already is not an error."""
        for folder in {folder for folder, _ in self.names}:
            remove_raw_files(folder, [name for place, name in self.names if place == folder])


def find_raw_files(
    target: Path, folders: Iterable[RawFolder], plan: ErasurePlan, ledger: Ledger
) -> ErasedRawFiles:
    """Return the files below the target's raw folders that only erased sources referred to.

    Those that the ledger names count too: a killed run may have left them. A folder that another
    database uses is left alone.
    """
    stays = files_staying(plan)
    found = [
        (folder.path, name)
        for folder in folders
        if folder.path.is_dir() and not folder.is_used_by_another(target)
        for name in _find_erased(raw_file_names(folder.path), plan, ledger)
        if name not in stays
    ]
    return ErasedRawFiles(
        tuple(found), sum((folder / name).stat().st_size for folder, name in found)
    )


def _find_erased(names: list[str], plan: ErasurePlan, ledger: Ledger) -> list[str]:
    known = find_erased_files(ledger.erased, names) | plan.ids.get(RAW_FILES, frozenset())
    contents = plan.ids.get(CONTENTS, frozenset())
    return [name for name in names if name in known or content_of(name) in contents]


def files_staying(plan: ErasurePlan) -> frozenset[str]:
    """Return the files that sources which stay refer to."""
    if SOURCES not in plan.tables.names:
        return frozenset()
    gone = plan.gone.get(SOURCES, pl.Series(dtype=pl.Int64))
    return frozenset(
        name
        for sources in plan.tables.read(SOURCES)
        for column in sources.of_kind(RAW_FILES)
        for name in sources.rows.filter(~pl.col(ROWID).is_in(gone.implode()))[column].drop_nulls()
    )
