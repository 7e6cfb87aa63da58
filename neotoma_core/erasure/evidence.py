"""What a vault still holds of what is erased, and the command that removes each."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from neotoma_core.archive_mirror.mirror import list_mirrors
from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.erased.files import CONTENTS, content_of
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import Ids
from neotoma_core.erasure.report import HoldingEvidence
from neotoma_core.export.files import CATALOG
from neotoma_core.ledger.file import LEDGER, Ledger
from neotoma_core.ledger.traces import Traces
from neotoma_core.remotes.holding import remotes_holding
from neotoma_core.remotes.known import CACHE, REMOTES
from neotoma_core.remotes.models import LOG as ENTRIES
from neotoma_core.vault.blobs import list_kept_blobs
from neotoma_core.vault.folder import (
    BACKUPS,
    BLOBS,
    DESCRIPTION,
    EVIDENCE,
    LOCK,
    QUARANTINE,
    REPORTS,
    WORK,
    RunFolders,
    read_known_places,
)
from neotoma_core.words.shell_words import midden_command, quote_word

_BY_RUN: Final = (BACKUPS, EVIDENCE, QUARANTINE, REPORTS)
_NOT_LOOKED_INTO: Final = (BLOBS, WORK, LOCK, LEDGER, DESCRIPTION, REMOTES, CACHE)

_REMOVING: Final = {"s3": "aws s3 rm --recursive", "gs": "gcloud storage rm --recursive"}
_BY_ITS_TOOLS: Final = "# with the tools of the store, delete all below"


def find_holding(
    folders: RunFolders, ids: Ids, erased: ErasedIds, staying: Collection[str]
) -> Iterator[HoldingEvidence]:
    """Yield what still names any of ``ids``: of the vault, and exports and archives it knows of.

    Then raw files that are erased, whoever's name they had: those of ``ids``, and of the ledger.
    What is in one of ``staying``, the files that sources of the target name, is theirs. A file that
    cannot be read is taken to hold them. What the run itself makes is left out.
    """
    own = {folders.evidence, folders.report, folders.quarantine}
    mirrors = list_mirrors(folders.vault)
    traces = Traces(name for names in ids.values() for name in names)
    for place in _places(folders.vault):
        if place not in own and (files := sum(map(traces.are_in, _files(place)))):
            if place in mirrors:
                yield _on_store(mirrors[place], files)
            yield holding(place, files)
    contents = ids.get(CONTENTS, frozenset())
    theirs = set(map(content_of, staying))
    for digest, blob in list_kept_blobs(folders.vault):
        is_erased = digest in contents or erased.among(CONTENTS, [digest])
        if is_erased and digest not in theirs:
            yield holding(blob, 1)


def find_remotes(
    vault: Path, target: Path, ledger: Ledger, *, more: bool
) -> Iterator[HoldingEvidence]:
    """Yield the remotes that hold what is erased, and the command that leaves it out there.

    ``more``: something is erased that the ledger does not name yet. None is asked.
    """
    for remote in remotes_holding(vault, ledger.lines, more=more):
        words = ("remote", "rewrite", remote.name, "--erased")
        command = midden_command(*words, target=target, vault=vault)
        yield HoldingEvidence(remote.url, remote.entries, command)


def holding(place: Path, files: int) -> HoldingEvidence:
    """Return a place that holds what is erased in so many files, and what removes it."""
    path = place.absolute()
    recursive = "-r " if path.is_dir() else ""
    return HoldingEvidence(str(path), files, f"rm {recursive}-- {quote_word(path)}")


def _on_store(url: str, files: int) -> HoldingEvidence:
    """Return the archive on a store whose mirror holds what is erased in so many files.

    Midden deletes no archive; the programs of the vendors do.
    """
    words = _REMOVING.get(url.partition(":")[0], _BY_ITS_TOOLS)
    return HoldingEvidence(url, files, f"{words} {quote_word(url)}")


def _places(vault: Path) -> Iterator[Path]:
    for place in sorted(vault.iterdir()):
        if place.name in _BY_RUN and place.is_dir():
            yield from sorted(place.iterdir())
        elif place.name not in _NOT_LOOKED_INTO:
            yield place
    # A cached entry of a remote holds no rows; a transfer that broke off may.
    yield from sorted(one for one in vault.glob(f"{CACHE}/*/*") if one.name != ENTRIES)
    for place in read_known_places(vault):
        # Whoever wrote the list: a folder that is neither is not ours to have removed.
        if is_archive(place) or (place / CATALOG).is_file():
            yield place


def _files(place: Path) -> Iterator[Path]:
    found = sorted(place.rglob("*")) if place.is_dir() else [place]
    yield from (path for path in found if path.is_file() and not path.is_symlink())
