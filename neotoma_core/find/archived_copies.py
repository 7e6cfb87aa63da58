"""Archives as copies of a database: what each holds, and which are the database's own."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.archive.verify import verify_archive
from neotoma_core.archive_tables.as_backup import environment_of_archive
from neotoma_core.archive_tables.tables import ARCHIVE_FOLDER, is_archive, open_archive
from neotoma_core.comparison.holdings import Coder, Holdings
from neotoma_core.coverage.held import missing_from
from neotoma_core.coverage.identity import Family
from neotoma_core.errors import ArchiveError, reason_of
from neotoma_core.find.archived_holdings import read_archived_holdings
from neotoma_core.find.own_copies import number_of
from neotoma_core.find.search import Found, FoundCopy, Gathered, relate_copies
from neotoma_core.find.vault_copies import backups_in, protects
from neotoma_core.neotoma.environments import Environment
from neotoma_core.neotoma.times import iso
from neotoma_core.report.inventory import KeptArchive
from neotoma_core.report.layout import escape_name
from neotoma_core.report.progress import Progress
from neotoma_core.runs.commands import command
from neotoma_core.salvage.examining import Examined
from neotoma_core.vault import folder as vaults
from neotoma_core.words.shell_words import midden_command


@dataclass(frozen=True, slots=True)
class ArchivedCopy:
    """An archive that was looked into. ``appended``: when rows were last appended to it, UTC.

    ``problem``: why it counts for nothing; then nothing is known of what it holds.
    """

    path: Path
    problem: str | None
    holdings: Holdings | None = None
    appended: datetime | None = None
    environment: Environment | None = None

    def describe_for(self, target: Path, vault: Path) -> KeptArchive:
        """Return what a status of ``target`` says of it."""
        shown = escape_name(str(self.path))
        if self.holdings is None:
            look = midden_command("verify", "--archive", self.path, target=None)
            return KeptArchive(shown, look, problem=self.problem)
        return KeptArchive(
            shown,
            command("recover", target=target, vault=vault, then=("--backup", self.path)),
            self.holdings.observations,
            dict(self.holdings.rows),
            self.holdings.last,
            iso(self.appended) if self.appended else None,
        )


def archives_of(vault: Path) -> tuple[Path, ...]:
    """Return the archive of a vault, and those elsewhere that it knows of."""
    places = [vault / ARCHIVE_FOLDER]
    if (vault / vaults.DESCRIPTION).exists():
        places += vaults.read_known_places(vault)
    return tuple(path.absolute() for path in places if is_archive(path))


def with_archives(
    found: Found, target: Path, vault: Path, progress: Progress
) -> tuple[Found, tuple[ArchivedCopy, ...]]:
    """Return what was found with the archives as further copies, and what is said of each.

    Those of the vault, those it knows of and those that were met: the first two are of the
    database it protects, whatever they hold.
    """
    own = archives_of(vault)
    met = (path.absolute() for path in found.walked.described if is_archive(path))
    each = {path.resolve(): path for path in reversed((*own, *met))}
    read = tuple(read_archive(path, found.coder, progress) for path in reversed(each.values()))
    first = len(found.copies)
    whole = [one for one in read if one.holdings is not None]
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


def read_archive(path: Path, coder: Coder, progress: Progress) -> ArchivedCopy:
    """Look into an archive and prove every row; what is wrong is reported, never raised."""
    try:
        wrong = _wrong_with(path, progress)
        if wrong is not None:
            return ArchivedCopy(path, wrong)
        holdings, appended = read_archived_holdings(open_archive(path), coder)
    except ArchiveError as error:
        return ArchivedCopy(path, error.wrong)
    except OSError as error:
        return ArchivedCopy(path, reason_of(error))
    return ArchivedCopy(path, None, holdings, appended, environment_of_archive(path))


def _wrong_with(path: Path, progress: Progress) -> str | None:
    """Return what an archive lacks; None where all that was committed to it is there.

    Without a record of its commits, a file that none of them names is a sign of a lost one.
    """
    verified = verify_archive(path, progress)
    unrecorded = any(finding.kind == "archive-unrecorded" for finding in verified.findings)
    for finding in verified.findings:
        if finding.kind == "archive-damaged" or (unrecorded and finding.kind == "archive-unnamed"):
            place = Path(finding.subject)
            with suppress(ValueError):
                place = place.relative_to(path)
            return escape_name(f"{place}: {finding.detail}")
    return None


def _copy(number: int, archive: ArchivedCopy) -> FoundCopy:
    changed = archive.path.stat().st_mtime_ns
    content = f"archive {archive.path}"
    size = sum((archive.holdings.rows if archive.holdings else {}).values())
    examined = Examined("sound", "", content, size, changed, "none", 0, archive.holdings)
    said = archive.environment
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
