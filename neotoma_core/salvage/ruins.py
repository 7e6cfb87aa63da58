"""Saving what can be had of a ruin: a copied database that cannot be used, and its log."""

import shutil
from contextlib import suppress
from pathlib import Path

from neotoma_core.errors import BackupError
from neotoma_core.salvage.rows import Salvaged, salvage
from neotoma_core.sqlite.opening import make_whole


def salvage_ruin(copy: Path, original: Path, folder: Path) -> Salvaged | None:
    """Return what can be saved of a copied ruin, with the rows of its log as far as it gets.

    ``folder``: a new one, for the result. None where nothing can be.
    """
    tries = folder / "tries"
    tries.mkdir(mode=0o700, parents=True)
    with suppress(BackupError):
        whole = make_whole(copy, original, tries)
        return salvage(whole, folder)
    whole = tries / "whole.db"  # as far as SQLite got with the log
    if not whole.exists():
        whole = Path(shutil.copyfile(copy, whole))
    return salvage(whole, folder) or salvage(Path(shutil.copyfile(copy, whole)), folder)
