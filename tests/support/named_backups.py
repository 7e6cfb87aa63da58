"""Backups as Neotoma makes them, to be named."""

import tarfile
from collections.abc import Callable
from pathlib import Path

from tests.support.raw import name_of, names_in

FIRST, SECOND = b"an invented receipt", b"another invented receipt"


BOTH = {name_of(FIRST), name_of(SECOND)}


Pack = Callable[[Path, Path], Path]


def raw_of(target: Path) -> set[str]:
    assert not (target.parent / "sources").exists()
    return names_in(target.parent / "sources_prod")


def tar_with(mode: str) -> Pack:
    def pack(folder: Path, to: Path) -> Path:
        path = to / f"backup.tar.{mode}"
        with tarfile.open(path, f"w:{mode}") as archive:  # type: ignore[call-overload]  # by name
            archive.add(folder, folder.name)
        return path

    return pack
