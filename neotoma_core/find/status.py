"""Finding copies: the inventory, and the status of one database among its copies."""

import glob
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.backup.protection import protection_of, summary_for_report
from neotoma_core.backup.raw_file_check import raw_files_gone
from neotoma_core.errors import BackupError, TargetError, TargetForeign, TargetLocked
from neotoma_core.files.atomic import write_file
from neotoma_core.files.frames import write_parquet
from neotoma_core.files.scratch import private_scratch
from neotoma_core.find.archived_copies import (
    ArchivedCopy,
    archives_of,
    family_in_vault,
    richest_archive,
    with_archives,
)
from neotoma_core.find.inventory import (
    check_unused,
    drop_check,
    inventory_frame,
    take_inventory,
)
from neotoma_core.find.own_copies import family_of, number_of
from neotoma_core.find.page import inventory_page, inventory_picture
from neotoma_core.find.places import look_further
from neotoma_core.find.search import Found, FoundCopy, SearchRequest, search
from neotoma_core.find.vault_copies import telling_backups
from neotoma_core.ledger.file import read_erased, read_ledger
from neotoma_core.remotes.standing import standings_of
from neotoma_core.report.inventory import InventoryReport, StatusReport
from neotoma_core.report.progress import Progress
from neotoma_core.report.protection import RawFilesGone
from neotoma_core.report.unfinished import UnfinishedStores
from neotoma_core.runs.begin import Asked
from neotoma_core.runs.commands import command, recover_command
from neotoma_core.runs.left_over import find_left_in, find_left_logs, logs_left
from neotoma_core.runs.raw_files import raw_folders_of
from neotoma_core.runs.run import target_of
from neotoma_core.salvage.at_rest import read_at_rest
from neotoma_core.salvage.condition import condition_of
from neotoma_core.salvage.examining import describe_unread
from neotoma_core.sqlite.inspection import list_tables
from neotoma_core.sqlite.opening import connect_read_only, make_whole
from neotoma_core.unfinished.finding import StoreLook, find_unfinished
from neotoma_core.unpacking.walking import speaks_of_neotoma
from neotoma_core.vault.folder import require_folder
from neotoma_core.vault.noted import absent_vault
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.reading import Apart

_MOST_PAYLOADS: Final = 20_000  # raw files that a status reads


def find_copies(
    where: SearchRequest,
    data: Path | None,
    progress: Progress,
    *,
    parquet: Path | None = None,
    picture: Path | None = None,
) -> InventoryReport:
    """Find every copy and say what each holds; writes only the files asked for.

    ``data``: the folder Neotoma is configured with. Raises UsageError.
    """
    with private_scratch() as scratch:
        report = take_inventory(search(where, scratch, progress), data)
    return write_inventory(report, parquet, picture)


def write_inventory(
    report: InventoryReport, parquet: Path | None, picture: Path | None
) -> InventoryReport:
    """Write an inventory to the files asked for; return the report that names them."""
    if parquet is not None:
        write_parquet(inventory_frame(report), parquet)
        report = replace(report, parquet=str(parquet))
    if picture is not None:
        _draw(report, picture)
        report = replace(report, picture=str(picture))
    return report


def _draw(report: InventoryReport, picture: Path) -> None:
    """Write the page, or the picture alone where the name says so."""
    alone = picture.suffix.lower() == ".svg"
    write_file(picture, inventory_picture(report) if alone else inventory_page(report))


def check_status(
    asked: Asked, where: SearchRequest, now: datetime, progress: Progress
) -> StatusReport:
    """Return the state of one database, compared with the copies of it that are found.

    Raises TargetForeign where the file may be somebody else's, TargetError, VaultDamaged.
    """
    target, vault = asked.target, asked.vault
    present = target_of(target)
    require_folder(vault)
    with private_scratch() as scratch:
        also = [*([target] if present else []), *telling_backups(vault)]
        _require_copies_or_place(target, where, [*also, *archives_of(vault)])
        where = replace(where, erased=read_erased(vault))
        with Workers(where.setting, scratch, of_rows=True) as workers:
            found, archives = with_archives(
                search(where, scratch, progress, also, workers),
                target,
                vault,
                Apart(workers, where.allowance),
            )
        number = number_of(found, target)
        copy = found.copies[number] if number is not None else None
        if present:
            copy = _with_condition(copy, target, scratch)
        raw = raw_files_gone(target, vault, asked.raw_storage, scratch)
        unfinished = None
        if copy is not None and copy.examined.state == "sound":
            progress.begin("stores")
            unfinished = _find_unfinished(copy, asked, now, scratch)
    return _status(target, found, copy, _Beside(vault, archives, raw, unfinished), now)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a status tells besides the database itself."""

    vault: Path
    archives: tuple[ArchivedCopy, ...]
    raw: RawFilesGone | None
    unfinished: UnfinishedStores | None


def _status(
    target: Path, found: Found, copy: FoundCopy | None, beside: _Beside, now: datetime
) -> StatusReport:
    examined = copy.examined if copy else None
    holdings = examined.holdings if examined else None
    if copy is not None and copy.examined.state != "sound":
        own = found.family_of(copy.number) or family_in_vault(found, beside.vault)
        archive = richest_archive(found, own, copy.number)
        recover = (
            command("recover", target=target, vault=beside.vault, then=("--backup", archive))
            if archive
            else recover_command(target, beside.vault)
        )
        again = command("status", target=target, vault=beside.vault)
        drop = check_unused(copy, target, again if copy.examined.state == "busy" else recover)
    else:
        known = found.known.get(copy.number if copy else -1)
        own = family_of(found, known.number if known else None, target)
        drop = drop_check(found, known, own, target, beside.vault)
    protection = summary_for_report(protection_of(beside.vault, now))
    absent = absent_vault(beside.vault, target)
    unprotected = absent is None and (protection is None or not protection.backups)
    backup = command("backup", target=target, vault=beside.vault) if unprotected else None
    raw, logs = beside.raw, find_left_logs(target, beside.vault)
    salvage = logs[0].command if logs else None
    refill = _refill(target, raw, beside.vault) if raw and raw.gone else None
    return StatusReport(
        str(target),
        examined.state if examined else "missing",
        (examined.problem or None) if examined else "there is no such file",
        holdings.observations if holdings else 0,
        holdings.rows.get("entities", 0) if holdings else 0,
        holdings.first if holdings else None,
        holdings.last if holdings else None,
        found.request.said,
        sum(not is_archive(c.path) for c in found.copies) - (number_of(found, target) is not None),
        drop,
        protection,
        beside.unfinished,
        raw,
        drop.next or salvage or refill or backup,
        find_left_in(beside.vault),
        tuple(one.describe_for(target, beside.vault) for one in beside.archives),
        logs,
        standings_of(beside.vault, target, now),
        str(absent) if absent else None,
        look_further(found.request, target, beside.vault) if drop.next else None,
    )


def _require_copies_or_place(target: Path, where: SearchRequest, also: Sequence[Path]) -> None:
    """Raise TargetError for a database that does not exist and that nothing is known of."""
    if also or not where.around or logs_left(target):
        return
    near = target.absolute().parent
    if not any(speaks_of_neotoma(path.name) for path in near.glob(f"{glob.escape(target.name)}*")):
        raise TargetError(
            target,
            "there is no such file, and it has no vault",
            "check the spelling, or say where copies of it may be with --search",
        )


def _with_condition(copy: FoundCopy | None, target: Path, scratch: Path) -> FoundCopy | None:
    """Return the target's own copy, also where only its name or place speaks for it.

    Raises TargetForeign.
    """
    if copy is not None and (copy.examined.state in ("sound", "busy") or copy.examined.gave_up):
        return copy
    condition = condition_of(target, scratch / "condition")
    if condition is None:  # whole since it was read
        return copy
    if condition.foreign:
        raise TargetForeign(target, condition.foreign)
    known = copy.examined if copy else describe_unread(target)
    examined = replace(known, state=condition.state, problem=condition.problem)
    return replace(copy, examined=examined) if copy else FoundCopy(-1, target, "", target, examined)


def _find_unfinished(
    target: FoundCopy, asked: Asked, now: datetime, scratch: Path
) -> UnfinishedStores | None:
    """Return what stores left that did not finish; None where the database cannot be read again."""
    folder = scratch / "stores"
    folder.mkdir()
    ledger = read_ledger(asked.vault)

    def look(copy: Path) -> UnfinishedStores | None:
        with suppress(BackupError):  # its state, in the same report, says what is wrong
            whole = make_whole(copy, target.path, folder / "whole")
            with closing(connect_read_only(whole)) as connection:
                tables = {t.name: t for t in list_tables(connection, target.path)}
            return find_unfinished(
                StoreLook(
                    whole=whole,
                    original=target.path,
                    tables=tables,
                    folders=raw_folders_of(target.path, asked.raw_storage),
                    key=asked.key,
                    ledger=ledger,
                    now=now,
                    most_files=_MOST_PAYLOADS,
                )
            )
        return None

    with suppress(TargetLocked):
        return read_at_rest(target.readable, folder / "copy", look)
    return None


def _refill(target: Path, raw: RawFilesGone, vault: Path) -> str:
    """Return the command that brings raw files back, and what else the newest backup has."""
    return command("recover", target=target, vault=vault, then=("--backup", Path(raw.newest)))
