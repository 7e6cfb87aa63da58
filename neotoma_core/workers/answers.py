"""What is read of one file, as plain data for another process.

Who reads a hostile file may be made to say anything. So what it says is read as what it is a model
of, and it names no file outside the folder it was given. ``examined``: what a search reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from neotoma_core.documents.models import NotAsModelled, read_model
from neotoma_core.errors import BackupDamaged, BackupError, BackupUnreadable, NotNeotoma
from neotoma_core.salvage.condition import Condition
from neotoma_core.unpacking.unpack import Unpacked

Answer = tuple[Mapping[str, object], Mapping[str, bytes]]
"""A document and tables."""


def place_within(folder: Path, name: str) -> Path:
    """Return a place in a folder; raises NotAsModelled for one that leads out of it."""
    parts = name.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or "\0" in name:
        raise NotAsModelled("salvaged", "a place in its folder")
    return folder.joinpath(*parts)


@dataclass(frozen=True, slots=True)
class _Taken:
    """``Unpacked``; ``path``: within the folder that was given."""

    path: str | None
    member: str
    problem: str
    raw_files: bool
    damage: str


@dataclass(frozen=True, slots=True)
class _AllTaken:
    all: tuple[_Taken, ...]


def plain_of_unpacked(all_taken: list[Unpacked], folder: Path) -> dict[str, object]:
    """Return what was taken out of an archive."""
    return {
        "all": [
            {
                "path": None if one.path is None else str(one.path.relative_to(folder)),
                "member": one.member,
                "problem": one.problem,
                "raw_files": one.raw_files,
                "damage": one.damage,
            }
            for one in all_taken
        ]
    }


def read_unpacked(document: object, folder: Path) -> list[Unpacked]:
    """Return what was taken out of an archive into ``folder``; raises NotAsModelled."""
    taken = read_model(_AllTaken, document).all
    return [
        Unpacked(
            None if one.path is None else place_within(folder, one.path),
            one.member,
            one.problem,
            one.raw_files,
            one.damage,
        )
        for one in taken
    ]


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole database: the name of a file in the folder that was given; None for the one read."""

    whole: str | None


_Kind = Literal["BackupUnreadable", "BackupDamaged", "NotNeotoma"]
_REFUSALS: Final[Mapping[_Kind, type[BackupError]]] = {
    "BackupUnreadable": BackupUnreadable,
    "BackupDamaged": BackupDamaged,
    "NotNeotoma": NotNeotoma,
}


@dataclass(frozen=True, slots=True)
class _Refused:
    """``BackupError`` without the file that it names, which whoever asks knows better."""

    kind: _Kind
    wrong: str
    advice: str


def plain_of_refusal(error: BackupError) -> dict[str, object]:
    """Return why a database cannot be used."""
    return {"kind": type(error).__name__, "wrong": error.wrong, "advice": error.advice}


def whole_from_plain(document: object, read: Path, shown: Path, folder: Path) -> Path:
    """Return one file with all of the database at ``read``; raises NotAsModelled.

    Raises the BackupError that is reported instead, of ``shown``.
    """
    if isinstance(document, dict) and "kind" in document:
        told = read_model(_Refused, document)
        raise _REFUSALS[told.kind](shown, told.wrong, told.advice)
    name = read_model(_Whole, document).whole
    return read if name is None else place_within(folder, name)


def condition_from_plain(document: object) -> Condition | None:
    """Return what is wrong with a database; raises NotAsModelled."""
    return None if document is None else read_model(Condition, document)
