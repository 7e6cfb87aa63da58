"""Giving a file the name of a database, where no log of an old one may meet it."""

from pathlib import Path
from typing import Final

from neotoma_core.files.atomic import announce, install, sync_folder
from neotoma_core.files.headers import companions

STEPS: Final = ("companions_removed",)


def install_database(temporary: Path, target: Path) -> None:
    """Give a whole, synced file the name of a database, and let no old log meet it there.

    The one way in which a database file comes to be. What is left of an old one is removed: it must
    be folded in, or evidence, by now.
    """
    remove_companions(target)
    install(temporary, target)


def remove_companions(target: Path) -> None:
    """Remove what is left of an old database, for good: its log, its journal."""
    left = companions(target)
    for path in left:
        path.unlink(missing_ok=True)
    if left:
        sync_folder(target.absolute().parent)
        announce("companions_removed")
