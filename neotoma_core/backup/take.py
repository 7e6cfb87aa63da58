"""Taking a backup, proving it, and looking whether anything is missing.

copy one instant → measure → compress → raw files → manifest → installed → drill → anomalies

Nothing is a backup before its manifest is written, and what fails later leaves it as it is: kept,
unproven.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from neotoma_core.backup.drills.besides import drill_beside
from neotoma_core.backup.drills.drill import Drilling, DrillRules
from neotoma_core.backup.measuring import Measured, measure
from neotoma_core.backup.page.page import backup_page
from neotoma_core.backup.protection import require_none_since
from neotoma_core.backup.raw_files import (
    find_logs,
    keep_logs,
    keep_raw_files,
    names_of_raw_files,
)
from neotoma_core.backup.report import BackupPlan, BackupReport, ErasedLeftOut
from neotoma_core.backup.reporting import backup_report
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.standing import find_unexplained, judge_backup
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.comparison.identity import Sample
from neotoma_core.files.headers import companions
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.neotoma.tables import SECRET
from neotoma_core.neotoma.versions import version_range
from neotoma_core.report.progress import Progress, Silent
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.judging import ruin_named
from neotoma_core.runs.left_over import missing_target
from neotoma_core.runs.run import target_of
from neotoma_core.sqlite.inspection import names_of
from neotoma_core.vault import folder as vault
from neotoma_core.vault.backups import (
    Listing,
    install_backup,
    keep_database,
    list_backups,
    write_manifest,
    write_raw_list,
    write_state,
)
from neotoma_core.vault.last_report import keep_last
from neotoma_core.vault.lease import vault_run
from neotoma_core.vault.manifests import NO_STATE, Backup, Manifest
from neotoma_core.vault.raw_folders import folders_in_use

_ROOM: Final = 4  # times the database: the copy, its compressed form, and what a drill restores
_SECRET: Final = frozenset(table.name for table in SECRET)


@dataclass(frozen=True, slots=True)
class _Further:
    """What was left out of a backup, and the one whose database file it shares, if it does."""

    left_out: ErasedLeftOut
    shares_with: str


def back_up(request: BackupRequest, now: datetime, progress: Progress) -> BackupReport:
    """Take a backup of the target, drill it unless asked not to, and compare it with the others.

    Raises TakenSince where that was done since it was due; TargetError, which says what to do about
    a target that is damaged or empty, OtherDatabase, VaultError, DiskFull: then there is no new
    backup.
    """
    with (
        ruin_named(request.target, request.vault),
        vault_run(request.vault, request.target, now) as folders,
    ):
        # Only here, where the vault is held: of two runs that are due at once, one takes it.
        if request.since is not None:
            require_none_since(request.vault, request.since, now)
        return take_backup(request, folders, now, progress)


def size_up(request: BackupRequest, now: datetime) -> BackupPlan:
    """Return what a backup would hold; nothing is kept. Raises what ``back_up`` does."""
    with (
        ruin_named(request.target, request.vault),
        vault_run(request.vault, request.target, now) as folders,
    ):
        _require_target(request)
        scratch = folders.work / "backup"
        scratch.mkdir(mode=0o700)
        before = list_backups(request.vault).backups
        counts = measure(request, scratch, before, now, Silent(), Clock()).counts
    entities = counts.tables.get("entities", 0)
    return BackupPlan("planned", str(request.target), counts.observations, entities)


def take_backup(
    request: BackupRequest, folders: vault.RunFolders, now: datetime, progress: Progress
) -> BackupReport:
    """Do what ``back_up`` does, within a run that holds the vault."""
    clock = Clock()
    _require_target(request)
    listing = list_backups(request.vault)
    scratch = folders.work / "backup"
    scratch.mkdir(mode=0o700)
    measured = measure(request, scratch, listing.backups, now, progress, clock)
    manifest, further = _store(request, measured, listing, now, clock)
    progress.begin("drill")
    rules = DrillRules(request.key, expect_empty=request.expect_empty)
    drilling = Drilling(request.vault, folders.work, rules, now, progress, measured.digest)
    backup = settle_backup(request, Backup(manifest), listing.backups, drilling)
    clock.lap("drill")
    backups = (*listing.backups, backup)
    report = backup_report(
        request,
        folders,
        backup,
        frozen=find_unexplained(backups) is not None,
        seconds=clock.seconds,
    )
    report = replace(report, erased_left_out=further.left_out, shares_with=further.shares_with)
    made = keep_last(request.vault, "backup", report, lambda: backup_page(report))
    return replace(report, page=made)


def settle_backup(
    request: BackupRequest, backup: Backup, before: Sequence[Backup], drilling: Drilling
) -> Backup:
    """Drill a new backup if asked to, and record that and what is missing from it.

    ``before``: the backups made before it.
    """
    state = NO_STATE
    if request.drill:
        state = state.after_drill(drill_beside(drilling, backup, before))
    alarms, drop = judge_backup(backup.manifest, before, request.vault)
    state = replace(state, alarms=alarms, drop=drop)
    write_state(request.vault, backup.name, state)
    backup = replace(backup, state=state)
    if backup.is_good:
        _identify(request, backup.manifest.counts)
    return backup


def _require_target(request: BackupRequest) -> None:
    if target_of(request.target) is None:
        raise missing_target(request.target, request.vault)
    paths = (request.target, *companions(request.target))
    needed = _ROOM * sum(path.stat().st_size for path in paths)
    vault.require_room(request.vault, needed)


def _store(
    request: BackupRequest, measured: Measured, listing: Listing, now: datetime, clock: Clock
) -> tuple[Manifest, _Further]:
    """Write the backup's files in the scratch and give them their place; return its manifest."""
    target, scratch, sequence = request.target, measured.scratch, listing.next_sequence
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    name = f"{stamp}-{request.kind}-{sequence:04}"
    folder = scratch / name
    folder.mkdir(mode=0o700)
    environment = environment_of(target.name)
    erased = read_erased(request.vault)
    raw = keep_raw_files(
        request.vault,
        folders_in_use(target, environment, request.raw_storage),
        names_of_raw_files(measured.whole),
        erased,
    )
    clock.lap("raw files")
    files = [write_raw_list(folder, raw.sizes, scratch)]
    found, telling = find_logs(target, environment, erased) if request.logs else ([], [])
    named = {log.relative_to(target.parent).as_posix(): log for log in found}
    logs, log_files = keep_logs(named, folder, scratch)
    newest_first = reversed(listing.backups)
    database, shares = keep_database(
        measured.whole, measured.digest, folder, request.vault, newest_first
    )
    measured.whole.unlink()
    clock.lap("compress")
    manifest = Manifest(
        vault=vault.identify_vault(request.vault),
        name=name,
        sequence=sequence,
        kind=request.kind,
        taken_at=now.astimezone(UTC),
        seconds=round(sum(clock.seconds.values()), 3),
        target=str(target.absolute()),
        environment=environment,
        versions=version_range(
            {t.name: t.columns for t in measured.tables.values()},
            names_of(measured.tables.values()),
        ),
        database=database,
        files=(*files, *([logs] if logs else [])),
        fingerprints=measured.fingerprints,
        counts=measured.counts,
        secret_tables=tuple(
            sorted(t.name for t in measured.tables.values() if t.rows and t.name in _SECRET)
        ),
        raw_files=raw.summary,
        logs=log_files,
        faults=measured.faults,
    )
    write_manifest(folder, manifest, NO_STATE)
    install_backup(folder, request.vault, name)
    return manifest, _Further(ErasedLeftOut(raw.erased, tuple(map(str, telling))), shares)


def _identify(request: BackupRequest, counts: Counts) -> None:
    """Remember by what the protected database is known; hashes, since a ledger may forbid ids."""
    sample = Sample(counts.sample, counts.observations)
    identity: JsonValue = {
        "observations": list(sample.hashes),
        "count": counts.observations,
        "target": str(request.target.absolute()),
    }
    vault.describe(request.vault, {"identity": identity})
