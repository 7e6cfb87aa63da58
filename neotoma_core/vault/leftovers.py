"""Removing what runs that did not finish left in a vault, unless it is the only copy of something.

Such a run's evidence is needless once every byte of it is in other evidence too: the next run of
its kind copies the same databases, which only grow at their ends until somebody changes them. Once
evidence is whole its run may have committed, and it is what undoes that: then only the very same
files are as good. What it put into the quarantine and its report comes from that evidence, and goes
with it.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from neotoma_core.files.atomic import announce
from neotoma_core.files.headers import INDEX
from neotoma_core.vault.folder import (
    EVIDENCE,
    QUARANTINE,
    REPORTS,
    UNFINISHED,
    WORK,
    list_unfinished_runs,
)

STEPS: Final = ("unfinished_removed",)
_CHUNK: Final = 1 << 20
_MANIFEST: Final = "manifest.json"  # written once all copies are there
_DERIVED: Final = (_MANIFEST, "raw_files.parquet", UNFINISHED)


def remove_needless(vault: Path, current: str) -> tuple[str, ...]:
    """Remove what unfinished runs left and other evidence has too; return their names.

    ``current``: the run that holds the vault. One run after the other, so that of two that have
    the same one stays.
    """
    removed = []
    for name in list_unfinished_runs(vault):
        if name != current and _is_needless(vault, name):
            for place in (QUARANTINE, REPORTS):
                shutil.rmtree(vault / place / name, ignore_errors=True)
            gone = vault / WORK / current / f"left-by-{name}"
            (vault / EVIDENCE / name).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
            announce("unfinished_removed")
            removed.append(name)
    return tuple(removed)


def bytes_left(vault: Path, name: str) -> int:
    """Return how many bytes the evidence of a run takes."""
    return sum(path.lstat().st_size for path in (vault / EVIDENCE / name).rglob("*"))


def _is_needless(vault: Path, name: str) -> bool:
    evidence = vault / EVIDENCE
    own = list(_copies(evidence / name))
    if not own:
        return True
    others = [p for one in evidence.iterdir() if one.name != name for p in _copies(one)]
    if (evidence / name / _MANIFEST).is_file():
        return _are_each_in(_by_folder(own), _by_folder(others))
    named: dict[str, list[Path]] = {}
    for path in others:
        named.setdefault(path.name, []).append(path)
    return all(any(_begins_with(o, p) for o in named.get(p.name, ())) for p in own)


def _by_folder(paths: Iterable[Path]) -> Mapping[Path, Mapping[str, Path]]:
    folders: dict[Path, dict[str, Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, {})[path.name] = path
    return folders


def _are_each_in(
    own: Mapping[Path, Mapping[str, Path]], others: Mapping[Path, Mapping[str, Path]]
) -> bool:
    """Return whether to each folder there is one that has the same files and no other."""
    return all(
        any(
            files.keys() == there.keys() and all(_is_same(there[n], p) for n, p in files.items())
            for there in others.values()
        )
        for files in own.values()
    )


def _copies(folder: Path) -> Iterator[Path]:
    """Yield what may be the only copy of something; also what is not a file: nothing equals it."""
    for path in folder.rglob("*"):
        made_here = path.name in _DERIVED or path.name.endswith(INDEX)
        if path.is_symlink() or not (path.is_dir() or made_here):
            yield path


def _is_same(one: Path, other: Path) -> bool:
    return _begins_with(one, other) and one.stat().st_size == other.stat().st_size


def _begins_with(whole: Path, part: Path) -> bool:
    """Return whether a file has all that another has, also where that was cut off."""
    if any(path.is_symlink() or not path.is_file() for path in (whole, part)):
        return False
    if whole.stat().st_size < part.stat().st_size:
        return False
    try:
        return _has_bytes_of(whole, part)
    except OSError:  # what cannot be read may be anything
        return False


def _has_bytes_of(whole: Path, part: Path) -> bool:
    with whole.open("rb") as longer, part.open("rb") as shorter:
        while block := shorter.read(_CHUNK):
            if longer.read(len(block)) != block:
                return False
    return True
