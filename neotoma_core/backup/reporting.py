"""Turning what is known of backups into reports."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from neotoma_core.backup.report import (
    BackupList,
    BackupReport,
    DrillSummary,
    ListedBackup,
    StrangeFile,
)
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.standing import find_unexplained, standing_of
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.neotoma.times import iso
from neotoma_core.runs.commands import command, command_again, recover_command
from neotoma_core.sqlite.faults import Fault, is_damage
from neotoma_core.vault.backups import FOLDER, Listing, Strange
from neotoma_core.vault.folder import RunFolders
from neotoma_core.vault.manifests import Backup, Drill
from neotoma_core.vault.raw_folders import folders_in_use


def backup_report(
    request: BackupRequest,
    folders: RunFolders,
    backup: Backup,
    *,
    frozen: bool,
    seconds: Mapping[str, float],
) -> BackupReport:
    """Return the report of a backup that was just taken."""
    manifest, state = backup.manifest, backup.state
    return BackupReport(
        run=folders.name,
        outcome="taken",
        backup=backup.name,
        folder=str(request.vault / FOLDER / backup.name),
        kind=manifest.kind,
        target=str(request.target),
        environment=manifest.environment,
        versions=manifest.versions,
        observations=manifest.counts.observations,
        entities=manifest.entities,
        newest=iso(manifest.counts.newest) if manifest.counts.newest else None,
        database_bytes=manifest.database.plain_size,
        stored_bytes=count_bytes(backup),
        raw_folders=tuple(
            str(folder.path)
            for folder in folders_in_use(
                request.target, environment_of(request.target.name), request.raw_storage
            )
            if not folder.shared or folder.path.is_dir()
        ),
        raw_files_kept=manifest.raw_files.count,
        raw_files_held=manifest.raw_files.held,
        raw_files_missing=manifest.raw_files.missing,
        raw_files_damaged=manifest.raw_files.damaged,
        logs=manifest.logs,
        drill=drill_summary(request.vault, backup, state.drill) if state.drill else None,
        alarms=state.alarms or (),
        drop=state.drop,
        frozen=frozen,
        seconds=dict(seconds),
        restore=command("restore", backup.name, target=request.target, vault=request.vault),
        accept=command(
            "backups",
            target=request.target,
            vault=request.vault,
            then=("--accept", backup.name, "why"),
        ),
        findings=fault_findings(request.vault, backup),
        erase_again=command("erase", "--again", target=request.target, vault=request.vault),
        verify=command("verify", backup.name, target=request.target, vault=request.vault),
    )


def drill_summary(vault: Path, backup: Backup, drill: Drill) -> DrillSummary:
    """Return what a report says of one drill."""
    return DrillSummary(
        backup.name,
        iso(drill.at),
        drill.outcome,
        drill.level,
        drill.reasons,
        drill.drifted,
        (*raw_file_findings(backup), *fault_findings(vault, backup)),
        drill.seconds,
        command_again("rebuild"),
        drill.same_as,
    )


def raw_file_findings(backup: Backup) -> tuple[str, ...]:
    """Return which raw files the database named and did not have when a backup was taken."""
    lost = backup.manifest.raw_files
    words = {"missing": lost.missing, "damaged": lost.damaged}
    said = ", ".join(f"{count:,} {what}" for what, count in words.items() if count)
    return (f"raw files: {said} when it was taken",) if said else ()


def fault_findings(vault: Path, backup: Backup) -> tuple[str, ...]:
    """Return what was wrong with the database when a backup was taken, and what helps."""
    return tuple(
        f"{fault}, as in the database{_help(vault, backup, fault)}"
        for fault in backup.manifest.faults or ()
    )


def _help(vault: Path, backup: Backup, fault: Fault) -> str:
    if not is_damage(fault):
        return ""
    return f" (`{recover_command(Path(backup.manifest.target), vault)}` mends it)"


def count_bytes(backup: Backup) -> int:
    """Return how many bytes a backup takes, without its raw files."""
    manifest = backup.manifest
    return manifest.database.size + sum(file.size for file in manifest.files)


def report_listing(vault: str, listing: Listing, now: datetime) -> BackupList:
    """Return the backups of a vault as a report."""
    return BackupList(
        vault,
        tuple(_list_backup(Path(vault), backup, now) for backup in listing.backups),
        strange_files(listing.strange),
        listing.is_complete,
        find_unexplained(listing.backups) is not None,
    )


def strange_files(strange: tuple[Strange, ...]) -> tuple[StrangeFile, ...]:
    """Return what is among the backups and is not a backup."""
    return tuple(StrangeFile(str(one.path), one.why) for one in strange)


def _list_backup(vault: Path, backup: Backup, now: datetime) -> ListedBackup:
    manifest, state = backup.manifest, backup.state
    return ListedBackup(
        manifest.sequence,
        backup.name,
        manifest.kind,
        iso(manifest.taken_at),
        manifest.counts.observations,
        manifest.entities,
        count_bytes(backup),
        manifest.raw_files.count,
        manifest.raw_files.missing,
        manifest.raw_files.damaged,
        standing_of(backup, now),
        state.drill.level if state.drill else "none",
        iso(state.verified_at) if state.verified_at else None,
        state.drop,
        state.alarms or (),
        state.pinned,
        state.accepted.why if state.accepted else None,
        fault_findings(vault, backup),
        iso(manifest.rewritten_at) if manifest.rewritten_at else None,
    )
