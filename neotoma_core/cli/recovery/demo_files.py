"""The story, end to end, on bundled data."""

import tarfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from neotoma_core.errors import UsageError

_BUNDLE = "incident.tar.xz"


@dataclass(frozen=True, slots=True)
class Story:
    """The unpacked incident: the wiped database, the two copies that hold everything, a vault."""

    folder: Path
    target: Path
    backups: tuple[Path, ...]
    vault: Path


def unpack_story(folder: Path) -> Story:
    """Unpack the bundled incident into ``folder``; raises UsageError where it is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: not an empty folder; name one that is empty, or new")
    with tarfile.open(_bundle()) as bundle:
        bundle.extractall(folder, filter="data")
    incident = folder / "incident"
    return Story(
        folder,
        incident / "data" / "neotoma.prod.db",
        (
            incident / "backups" / "neotoma.prod.db.db",
            incident / "backups" / "neotoma.prod 2.db",
        ),
        folder / "vault",
    )


def _bundle() -> Path:
    """Return the bundle: inside an installed package, or in the checkout it was built from."""
    package = Path(str(files("neotoma_core")))
    for place in (package / "data", package.parent / "data" / "fixtures"):
        if (place / _BUNDLE).is_file():
            return place / _BUNDLE
    raise UsageError(f"{_BUNDLE} is not installed; reinstall midden")
