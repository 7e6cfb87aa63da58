"""Removing evidence that nobody needs: of runs that did not finish, and of those that did nothing.

What a run that did not finish left goes unless it is the only copy of something.

Such a run's evidence is needless once every byte of it is in other evidence too: the next run of
its kind copies the same databases, which only grow at their ends until somebody changes them. Once
evidence is whole its run may have committed, and it is what undoes that: then only the very same
files are as good. What it put into the quarantine and its report comes from that evidence, and goes
with it.

A run that changed nothing has copied what is still there: its evidence goes with it, if every file
of the target is where it was, as it was.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from neotoma_core.documents.models import NotAsModelled, read_model
from neotoma_core.errors import VaultDamaged
from neotoma_core.files.atomic import announce
from neotoma_core.files.headers import INDEX, companions, follow
from neotoma_core.vault.documents import EvidenceFile, EvidenceManifest
from neotoma_core.vault.folder import (
    EVIDENCE,
    QUARANTINE,
    REPORTS,
    UNFINISHED,
    WORK,
    RunFolders,
    list_unfinished_runs,
    read_json,
)

STEPS: Final = ("unfinished_removed", "nothing_done_removed")
NOTHING_DONE: Final = ("planned", "declined", "unchanged", "refused", "checked")
"""What a report of a run that changed nothing says of its outcome."""
_TARGET: Final = "target"
_LEFT_BEHIND: Final = "left-behind"
_CHUNK: Final = 1 << 20
_MANIFEST: Final = "manifest.json"  # written once all copies are there
_LISTED: Final = "raw_files.parquet"
_DERIVED: Final = (_MANIFEST, _LISTED, UNFINISHED)


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


def remove_of_nothing_done(folders: RunFolders, *, finished: bool) -> bool:
    """Remove the evidence of a run that says it changed nothing; return whether that was so.

    ``finished``: it came to its end; then it need not have kept a report.
    """
    evidence = folders.evidence
    try:
        manifest = read_model(EvidenceManifest, read_json(evidence / _MANIFEST))
        said_so = _says_nothing_done(folders, finished=finished)
        if not (said_so and _has_no_more(evidence, manifest) and _is_as_it_was(manifest)):
            return False
        gone = folders.work / "of-nothing-done"
        evidence.rename(gone)
    except (OSError, NotAsModelled, VaultDamaged):
        return False
    announce("nothing_done_removed")
    shutil.rmtree(gone, ignore_errors=True)
    return True


def _says_nothing_done(folders: RunFolders, *, finished: bool) -> bool:
    report = folders.report / "report.json"
    if not report.exists():
        return finished
    said = read_json(report)
    return isinstance(said, dict) and said.get("outcome") in NOTHING_DONE and not said.get("undo")


def _has_no_more(evidence: Path, manifest: EvidenceManifest) -> bool:
    """Return whether nothing is in evidence but copies, and lists of what was there."""
    known = {*_DERIVED, _LEFT_BEHIND, *(one.label for one in manifest.databases)}
    return {path.name for path in evidence.iterdir()} <= known


def _is_as_it_was(manifest: EvidenceManifest) -> bool:
    """Return whether a target is as it was copied, or as absent; the rest is only read."""
    target = follow(Path(manifest.target))
    copied = [one for one in manifest.databases if one.label == _TARGET]
    if bool(copied) != target.exists():
        return False
    files = [file for one in copied for file in one.files] or list(manifest.left_behind)
    return all(_is_unchanged(target, Path(manifest.target).name, file) for file in files) and all(
        Path(one.path).exists() for one in manifest.databases
    )


def _is_unchanged(target: Path, called: str, file: EvidenceFile) -> bool:
    if file.name.endswith(INDEX):
        return True
    paths = {path.name.removeprefix(target.name): path for path in (target, *companions(target))}
    path = paths.get(file.name.removeprefix(called))
    if path is None or not path.exists():
        return False
    found = path.stat()
    return (found.st_size, found.st_mtime_ns) == (file.size, int(file.mtime_ns))


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
