"""Archives as copies of a database: what each holds, and which are the database's own."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from neotoma_core.archive_tables.tables import ARCHIVE_FOLDER, is_archive
from neotoma_core.coverage.held import missing_from
from neotoma_core.coverage.identity import Family
from neotoma_core.find.own_copies import number_of
from neotoma_core.find.search import Found, FoundCopy, Gathered, relate_copies
from neotoma_core.find.vault_copies import backups_in, protects
from neotoma_core.neotoma.times import iso
from neotoma_core.report.inventory import KeptArchive
from neotoma_core.report.layout import escape_name
from neotoma_core.runs.commands import command
from neotoma_core.salvage.examining import Examined
from neotoma_core.vault import folder as vaults
from neotoma_core.words.shell_words import midden_command
from neotoma_core.workers.archive_answers import LookedInto
from neotoma_core.workers.archives import look_into_archive_apart
from neotoma_core.workers.reading import Apart


@dataclass(frozen=True, slots=True)
class ArchivedCopy:
    """An archive that was looked into."""

    path: Path
    looked: LookedInto

    def describe_for(self, target: Path, vault: Path) -> KeptArchive:
        """Return what a status of ``target`` says of it."""
        shown = escape_name(str(self.path))
        holdings, appended = self.looked.holdings, self.looked.appended
        if holdings is None:
            look = midden_command("verify", "--archive", self.path, target=None)
            return KeptArchive(shown, look, problem=self.looked.problem)
        return KeptArchive(
            shown,
            command("recover", target=target, vault=vault, then=("--backup", self.path)),
            holdings.observations,
            dict(holdings.rows),
            holdings.last,
            iso(appended) if appended else None,
        )


def archives_of(vault: Path) -> tuple[Path, ...]:
    """Return the archive of a vault, and those elsewhere that it knows of."""
    places = [vault / ARCHIVE_FOLDER]
    if (vault / vaults.DESCRIPTION).exists():
        places += vaults.read_known_places(vault)
    return tuple(path.absolute() for path in places if is_archive(path))


def with_archives(
    found: Found, target: Path, vault: Path, apart: Apart
) -> tuple[Found, tuple[ArchivedCopy, ...]]:
    """Return what was found with the archives as further copies, and what is said of each.

    Those of the vault, those it knows of and those that were met: the first two are of the
    database it protects, whatever they hold.
    """
    own = archives_of(vault)
    met = (path.absolute() for path in found.walked.described if is_archive(path))
    each = {path.resolve(): path for path in reversed((*own, *met))}
    read = tuple(
        ArchivedCopy(path, look_into_archive_apart(apart, path, found.coder))
        for path in reversed(each.values())
    )
    first = len(found.copies)
    whole = [one for one in read if one.looked.holdings is not None]
    copies = [_copy(first + place, one) for place, one in enumerate(whole)]
    of_vault = [copy.number for copy in copies if copy.path in own]
    backups = [copy.number for copy in found.copies if _is_in(copy.path, backups_in(vault))]
    of_target = number_of(found, target) if protects(vault, target) else None
    together = (*of_vault, *backups, *([] if of_target is None else [of_target]))
    if not copies:
        return found, read
    every = (*found.copies, *copies)
    gathered = Gathered(found.request, every, found.walked, found.archives, found.coder)
    return relate_copies(gathered, (together,)), read


def _copy(number: int, archive: ArchivedCopy) -> FoundCopy:
    changed = archive.path.stat().st_mtime_ns
    content = f"archive {archive.path}"
    holdings = archive.looked.holdings
    size = sum((holdings.rows if holdings else {}).values())
    examined = Examined("sound", "", content, size, changed, "none", 0, holdings)
    said = archive.looked.environment
    return FoundCopy(number, archive.path, "", archive.path, examined, said=said)


def _is_in(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.absolute().is_relative_to(folder.absolute()) for folder in folders)


def richest_archive(found: Found, own: Family, target: int) -> Path | None:
    """Return the archive that gives a target the most, where it gives more than the files do.

    ``own``: the copies of its database.
    """
    others = [number for number in own if number != target]
    archives = {n: found.copies[n].path for n in others if is_archive(found.copies[n].path)}
    files = [number for number in others if number not in archives]
    relevant = [one for one in found.observations if one.holders & set(others)]
    lacks = missing_from(relevant, [target])
    gains = {n: lacks - missing_from(relevant, [target, n]) for n in archives}
    best = max(gains, key=lambda number: (gains[number], -number), default=None)
    if best is None or gains[best] <= lacks - missing_from(relevant, [target, *files]):
        return None
    return archives[best]


def family_in_vault(found: Found, vault: Path) -> Family:
    """Return the copies of the database that a vault keeps; none where it keeps none."""
    kept = {
        c.number for c in found.copies if _is_in(c.path, (*backups_in(vault), *archives_of(vault)))
    }
    return next((family for family in found.families if kept & set(family)), ())
