"""Taking inventory: what each copy found holds, and which database has lost what."""

import os
import string
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.coverage.copies import Copy
from neotoma_core.coverage.drop import find_drop
from neotoma_core.coverage.held import exclusive_to
from neotoma_core.coverage.identity import Family
from neotoma_core.errors import UsageError
from neotoma_core.files.frames import read_records
from neotoma_core.find.archived_copies import richest_archive
from neotoma_core.find.search import Found, FoundCopy
from neotoma_core.find.vault_copies import backup_name_of
from neotoma_core.neotoma.environments import RAW_FOLDERS
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.report.inventory import (
    CopyRow,
    DropCheck,
    InventoryReport,
    KeptArchive,
    Verdict,
)
from neotoma_core.report.layout import escape_name
from neotoma_core.runs.commands import command
from neotoma_core.runs.left_over import logs_met
from neotoma_core.words.shell_words import midden_command, quote_word

_LIVE_NAMES: Final = ("neotoma.prod.db", "neotoma.db")
_SHOWN_ID: Final = 64


def take_inventory(found: Found, data: Path | None) -> InventoryReport:
    """Return the inventory of what was found. ``data``: the folder Neotoma is configured with."""
    rows = tuple(_row(found, copy, data) for copy in found.copies)
    holdings = {c.number: c.examined.holdings for c in found.copies if c.examined.holdings}
    return InventoryReport(
        searched=tuple(escape_name(str(path)) for path in found.request.paths),
        files=found.walked.files,
        folders=found.walked.folders,
        skipped=found.walked.skipped,
        unreadable={escape_name(str(p)): reason for p, reason in found.walked.unreadable},
        archives={escape_name(str(path)): problem for path, problem in found.archives},
        copies=rows,
        density={rows[n].shown: dict(holding.days) for n, holding in holdings.items()},
        drops=tuple(_drop_of(found, copy) for copy in found.copies if rows[copy.number].live),
        parquet=None,
        picture=None,
        kept_archives=tuple(list_archives(found.walked.described)),
        left_logs=logs_met(found.walked.left),
    )


def list_archives(folders: Iterable[Path]) -> Iterator[KeptArchive]:
    """Yield the archives among the folders, each once, and how to recover from it."""
    for folder in dict.fromkeys(path.absolute() for path in folders):
        if is_archive(folder):
            from_it = ("--backup", folder)
            said = midden_command("recover", *from_it, "--target", "DB", target=None)
            yield KeptArchive(escape_name(str(folder)), said)


def check_unused(copy: FoundCopy, path: Path, next_command: str) -> DropCheck:
    """Return what is said of a database that cannot be used as it is, or not be read."""
    holdings = copy.examined.holdings
    verdict: Verdict = "unread" if copy.examined.state == "busy" else "ruined"
    salvaged = holdings.observations if holdings else 0
    return DropCheck(escape_name(str(path)), verdict, salvaged, 0, None, 0, None, next_command)


def _drop_of(found: Found, copy: FoundCopy) -> DropCheck:
    known = found.known.get(copy.number)
    if known is not None and copy.examined.state == "sound":
        return drop_check(found, known, found.family_of(copy.number), copy.path)
    return check_unused(copy, copy.path, f"midden status {quote_word(copy.path.absolute())}")


def drop_check(
    found: Found, target: Copy | None, own: Family, path: Path, vault: Path | None = None
) -> DropCheck:
    """Return whether the target has lost what copies of its database hold, and what to do then.

    ``target``: None where it does not exist. ``vault``: the one it was asked about, if any.
    """
    copy = target or Copy(-1, str(path), 0, None)
    drop = find_drop(copy, own, found.known, found.observations)
    best = found.known[drop.best] if drop.best is not None else None
    return DropCheck(
        escape_name(str(path)),
        drop.verdict,
        drop.observations,
        drop.lacks,
        best.path if best else None,
        best.observations if best else 0,
        best.last if best else None,
        _next(found, path, vault, richest_archive(found, own, copy.number)) if drop.lacks else None,
    )


def inventory_frame(report: InventoryReport) -> pl.DataFrame:
    """Return the inventory as a frame, one row per copy; counts per table are columns."""
    tables = sorted({table for row in report.copies for table in row.rows})
    plain = [name for name in CopyRow.__slots__ if name not in ("rows", "entity_types")]
    rows = [
        {name: getattr(row, name) for name in plain}
        | {f"rows_{table}": row.rows.get(table) for table in tables}
        | {"entity_types": ", ".join(row.entity_types)}
        for row in report.copies
    ]
    schema = {
        name: _KINDS.get(name, pl.String())
        for name in (*plain, *(f"rows_{table}" for table in tables), "entity_types")
    }
    schema |= {f"rows_{table}": pl.Int64() for table in tables}
    return pl.DataFrame(rows, schema=schema, orient="row")


_KINDS: Final[Mapping[str, pl.DataType]] = {
    **dict.fromkeys(
        ("size", "journal_bytes", "observations", "entities", "days", "exclusive", "unproven"),
        pl.Int64(),
    ),
    "live": pl.Boolean(),
}


def read_listed_files(inventory: Path) -> tuple[Path, ...]:
    """Return the files an inventory lists, each once; raises UsageError where it is invalid."""
    records = read_records(inventory)
    files = [_path_of(record) for record in records if isinstance(record, dict)]
    if not files or None in files or len(files) != len(records):
        raise UsageError(f"{inventory}: not an inventory of copies; make one with `midden find`")
    return tuple(file for file in dict.fromkeys(files) if file is not None)


def _path_of(record: Mapping[str, JsonValue]) -> Path | None:
    path, raw = record.get("path"), record.get("path_bytes")
    if isinstance(raw, str):
        return Path(os.fsdecode(bytes.fromhex(raw)))
    return Path(path) if isinstance(path, str) else None


def _next(found: Found, path: Path, vault: Path | None, archive: Path | None) -> str:
    """Return the command that brings back what a database lacks; ``archive``: the best source."""
    remotes = tuple(dict.fromkeys(copy.remote for copy in found.copies if copy.remote))
    if archive is not None or remotes:
        words = [word for one in (archive, *remotes) if one for word in ("--backup", one)]
        return command("recover", target=path, vault=vault, then=words)
    places = () if found.request.around else found.request.paths
    words = [word for place in places for word in ("--search", place)]
    return command("recover", target=path, vault=vault, then=words)


def _row(found: Found, copy: FoundCopy, data: Path | None) -> CopyRow:
    examined, holdings = copy.examined, copy.examined.holdings
    known = found.known.get(copy.number)
    environment, told = found.environment(copy.number)
    twin = found.copies[known.same_as].shown if known and known.same_as is not None else None
    modified = datetime.fromtimestamp(examined.mtime_ns // 1_000_000_000, UTC)
    version = holdings.version if holdings else (None, None)
    digest = examined.content[:_SHOWN_ID] if holdings or examined.salvaged else None
    return CopyRow(
        path=copy.place,
        path_bytes=None if copy.remote else _not_text(copy.path),
        member=escape_name(copy.member) or None,
        shown=copy.shown,
        size=examined.size,
        modified=modified.isoformat(timespec="seconds").replace("+00:00", "Z"),
        digest=digest,
        environment=environment,
        environment_by=told,
        version_from=version[0],
        version_before=version[1],
        state=examined.state,
        problem=examined.problem or None,
        journal=examined.journal,
        journal_bytes=examined.journal_bytes,
        observations=holdings.observations if holdings else None,
        entities=holdings.rows.get("entities", 0) if holdings else None,
        rows=dict(holdings.rows) if holdings else {},
        first=holdings.first if holdings else None,
        last=holdings.last if holdings else None,
        days=len(holdings.days) if holdings else 0,
        entity_types=dict(holdings.types) if holdings else {},
        database=_letter(found, copy.number),
        same_as=twin,
        exclusive=exclusive_to(found.observations, _twins(found, copy.number)) if known else None,
        salvaged=examined.salvaged.means if examined.salvaged else None,
        unproven=holdings.unproven if holdings else 0,
        live=_is_live(copy, data),
        backup=backup_name_of(copy.path),
    )


def _not_text(path: Path) -> str | None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path).hex()
    return None if str(path).isprintable() else os.fsencode(path).hex()


def _twins(found: Found, number: int) -> frozenset[int]:
    """Return the copies with the bytes of one, itself among them."""
    first = found.known[number].same_as
    first = number if first is None else first
    return frozenset(n for n, copy in found.known.items() if first in (n, copy.same_as))


def _letter(found: Found, number: int) -> str | None:
    for place, family in enumerate(found.families):
        if number in family:
            around, letter = divmod(place, len(string.ascii_uppercase))
            return string.ascii_uppercase[letter] + (str(around) if around else "")
    return None


def _is_live(copy: FoundCopy, data: Path | None) -> bool:
    """Return whether a copy lies where Neotoma itself uses it: by its name and its folder's."""
    if copy.member or copy.path.name not in _LIVE_NAMES:
        return False
    folder = copy.path.absolute().parent
    if data is not None and data.exists() and folder.resolve() == data.resolve():
        return True
    raw = any((folder / name).is_dir() for name in RAW_FOLDERS.values())
    return folder.name == "data" and (raw or data is None)
