"""Rewriting each backup of a vault that still holds what was erased, and removing the old one.

each backup looked at → ask → one after the other rewritten → raw files that nothing names any more

What cannot be read stays as it is, and is named. Running again completes the job.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from neotoma_core.erased.files import content_of
from neotoma_core.errors import BackupError, DiskFull, KeyMissing, KeyWrong, VerificationFailed
from neotoma_core.files.atomic import announce
from neotoma_core.files.compressed import NotIntact
from neotoma_core.files.keys import KeySource
from neotoma_core.forget.holding import Forgetting, read_backup_held
from neotoma_core.forget.report import ForgetReport, RewrittenBackup, UnknownBackup
from neotoma_core.forget.rewriting import NotRewritten, rewrite_backup, take_away
from neotoma_core.ledger.file import read_erased
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.commands import command
from neotoma_core.vault.backups import FOLDER, Listing, list_backups, read_raw_list
from neotoma_core.vault.blobs import list_kept_blobs, remove_blobs
from neotoma_core.vault.folder import require_room
from neotoma_core.vault.lease import vault_run
from neotoma_core.vault.manifests import Backup
from neotoma_core.words.shell_words import quote_word

Confirm = Callable[[ForgetReport], bool]
_HINDRANCES: Final = (BackupError, VerificationFailed, NotIntact, KeyMissing, KeyWrong, DiskFull)


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """What the user asked for. ``key``: where the key of encrypted columns is, if anywhere."""

    target: Path
    vault: Path
    key: KeySource | None = None


@dataclass(slots=True)
class _Looked:
    """What was found in the backups. ``files``: hashes of raw files that are erased."""

    holding: dict[str, RewrittenBackup]
    unknown: dict[str, str]
    files: set[str]


def forget_erased(
    request: ForgetRequest, now: datetime, confirm: Confirm, progress: Progress
) -> ForgetReport:
    """Rewrite each backup that holds what was erased. ``confirm`` is shown the plan.

    Raises VaultError.
    """
    clock = Clock()
    with vault_run(request.vault, request.target, now) as folders:
        erased = read_erased(request.vault)
        forgetting = Forgetting(folders, erased, now, request.key, progress)
        listing = list_backups(request.vault) if erased else Listing((), ())
        looked = _look(forgetting, listing)
        clock.lap("look")
        report = ForgetReport(
            run=folders.name,
            outcome="planned",
            target=str(request.target),
            looked_at=len(listing.backups),
            holding=tuple(looked.holding.values()),
            unknown=tuple(_unknown(request, looked, listing)),
            blobs_removed=0,
            seconds=clock.seconds,
            further=command("erase", "--again", target=request.target, vault=request.vault),
        )
        if not report.holding:
            return replace(report, outcome="unchanged")
        if not confirm(report):
            return report
        made = tuple(_rewritten(forgetting, looked.holding, listing))
        blobs = _remove_blobs(forgetting, looked.files)
        clock.lap("rewrite")
        outcome = "forgotten" if any(one.new for one in made) else "unchanged"
        return replace(
            report, outcome=outcome, holding=made, blobs_removed=blobs, seconds=clock.seconds
        )


def _look(forgetting: Forgetting, listing: Listing) -> _Looked:
    """Look at each backup; those that share a database file and raw files are looked at once."""
    looked = _Looked({}, {}, set())
    known: dict[tuple[str, ...], RewrittenBackup | str | None] = {}
    forgetting.progress.begin("examine", len(listing.backups))
    for backup in listing.backups:
        manifest = backup.manifest
        content = (manifest.database.sha256, *(file.plain_sha256 for file in manifest.files))
        if content not in known:
            known[content] = _looked_at(forgetting, backup, looked.files)
        found = known[content]
        if isinstance(found, str):
            looked.unknown[backup.name] = found
        elif found is not None:
            looked.holding[backup.name] = replace(found, backup=backup.name)
        forgetting.progress.advance(1)
    return looked


def _looked_at(
    forgetting: Forgetting, backup: Backup, files: set[str]
) -> RewrittenBackup | str | None:
    """Return what a backup holds, None where that is nothing, or why nobody can tell."""
    work = forgetting.folders.work
    with TemporaryDirectory(dir=work) as scratch:
        try:
            require_room(work, 2 * backup.manifest.database.plain_size)
            held = read_backup_held(forgetting, backup, Path(scratch))
        except _HINDRANCES as error:
            return _why(error)
    if held.is_clean:
        return None
    files |= set(map(content_of, held.erased_files))
    rows = held.plan.reach.total
    return RewrittenBackup(backup.name, rows, len(held.erased_files), len(held.erased_logs))


def _why(error: BaseException) -> str:
    if isinstance(error, KeyMissing | KeyWrong):
        return "its values are encrypted, and the key that was given does not open them"
    if isinstance(error, DiskFull):
        return "too little free space to restore it"
    if isinstance(error, VerificationFailed):
        return "; ".join(error.failed)
    return error.wrong if isinstance(error, BackupError | NotIntact) else type(error).__name__


def _unknown(request: ForgetRequest, looked: _Looked, listing: Listing) -> Iterator[UnknownBackup]:
    places = {name: request.vault / FOLDER / name for name in looked.unknown}
    why = dict(looked.unknown)
    for strange in listing.strange:
        if strange.doubtful or strange.backup is not None:
            places[strange.path.name], why[strange.path.name] = strange.path, strange.why
    for name, place in places.items():
        remove = f"rm -r -- {quote_word(place.absolute())}"
        yield UnknownBackup(name, why[name], remove)


def _rewritten(
    forgetting: Forgetting, holding: dict[str, RewrittenBackup], listing: Listing
) -> Iterator[RewrittenBackup]:
    """Rewrite one backup after the other; yield how each went."""
    standing = {backup.name: backup for backup in listing.backups}
    forgetting.progress.begin("drill", len(holding))
    # Of two with one number the later one was made of the other, by a run that was killed then.
    for name in reversed(holding):
        one, old = holding[name], standing[name]
        clean = [
            b
            for b in standing.values()
            if b.manifest.sequence == old.manifest.sequence
            and b.name not in holding
            and b.manifest.rewritten_at is not None
            and b.state.is_verified
        ]
        if clean:
            take_away(forgetting.folders, old)
            yield replace(one, new=clean[-1].name)
            continue
        try:
            made = rewrite_backup(forgetting, old, list(standing.values()))
        except NotRewritten as error:
            yield replace(one, kept_because=error.why)
            continue
        except _HINDRANCES as error:
            yield replace(one, kept_because=_why(error))
            continue
        if made is not None:
            del standing[name]
            standing[made[0].name] = made[0]
            yield replace(one, new=made[0].name)
        forgetting.progress.advance(1)


def _remove_blobs(forgetting: Forgetting, erased: set[str]) -> int:
    """Remove erased raw files that no backup names any longer; none while one cannot be read."""
    folders = forgetting.folders
    listing = list_backups(folders.vault)
    everything = {digest for digest, _ in list_kept_blobs(folders.vault)}
    try:
        named = {
            content_of(name)
            for place, backup in _all(listing, folders.vault)
            for name in read_raw_list(place, backup.manifest, folders.work)
        }
    except NotIntact:
        return 0
    if not listing.is_complete:
        return 0
    removed, _ = remove_blobs(folders.vault, everything - (erased - named))
    announce("blobs_removed")
    return removed


def _all(listing: Listing, vault: Path) -> Iterator[tuple[Path, Backup]]:
    yield from ((vault / FOLDER / b.name, b) for b in listing.backups)
    yield from ((s.path, s.backup) for s in listing.strange if s.backup)
