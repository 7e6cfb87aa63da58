"""Which folders hold the raw files of a database, and which of them it shares (format, 6.1, 6.4).

Neotoma keeps raw files in ``sources_prod`` or ``sources`` next to the database, or where
NEOTOMA_RAW_STORAGE_DIR says. Its own backups call the folder ``sources`` in every environment, and
its own restore puts production files there. So a folder that by its name is of the other
environment is looked into as well: a file in it that the database's sources name, and whose bytes
have the hash in its name, is theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.neotoma.environments import RAW_FOLDERS, Environment, environment_of

_MANIFEST: Final = "manifest.json"
_LIVE_NAMES: Final[dict[Environment, str]] = {
    "production": "neotoma.prod.db",
    "development": "neotoma.db",
}


@dataclass(frozen=True, slots=True)
class RawFolder:
    """A folder of raw files. ``environment``: of the database they belong to.

    ``shared``: files of another database may be in it, so only those count that sources name.
    """

    path: Path
    environment: Environment
    shared: bool = False

    def is_used_by_another(self, database: Path) -> bool:
        """Return whether the database that Neotoma has next to this folder is another one."""
        for kind, name in RAW_FOLDERS.items():
            live = self.path.parent / _LIVE_NAMES[kind]
            if self.path.name == name and live.exists():
                return not (database.exists() and live.samefile(database))
        return False


def folders_in_use(
    database: Path, environment: Environment | None, configured: Path | None
) -> tuple[RawFolder, ...]:
    """Return where a database in use may have raw files; first where Neotoma keeps them now.

    ``environment``: None where its name says nothing; then both folders are its own.
    ``configured``: what NEOTOMA_RAW_STORAGE_DIR says. The folders need not exist.
    """
    beside = [
        RawFolder(
            database.absolute().parent / name,
            environment or kind,
            shared=configured is not None or environment not in (kind, None),
        )
        for kind, name in RAW_FOLDERS.items()
    ]
    beside.sort(key=lambda folder: folder.shared)
    if configured is None:
        return tuple(beside)
    own = RawFolder(configured, environment or environment_of(database.name) or "development")
    place = own.path.resolve()
    return (own, *(folder for folder in beside if folder.path.resolve() != place))


def folders_beside(parent: Path, environment: Environment | None) -> Iterator[RawFolder]:
    """Yield the folders of raw files that are next to a backup in the folder ``parent``.

    ``environment``: of the backup, None where nothing says.
    """
    is_neotomas = (parent / _MANIFEST).exists() and environment is not None
    for kind, name in RAW_FOLDERS.items():
        if (parent / name).is_dir():
            own = environment in (kind, None) or (is_neotomas and name == "sources")
            yield RawFolder(parent / name, environment or kind, shared=not own)
