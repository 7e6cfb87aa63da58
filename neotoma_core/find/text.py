"""The inventory as a table for a terminal, and the drop check as one line."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neotoma_core.neotoma.tables.carried import make_printable
from neotoma_core.report.inventory import (
    CopyRow,
    DropCheck,
    InventoryReport,
    KeptArchive,
    LeftLog,
    StatusReport,
)
from neotoma_core.report.layout import common_folder, days, join_places, label_line
from neotoma_core.report.remotes import standing_lines
from neotoma_core.report.unfinished import lines_of_unfinished
from neotoma_core.words.shell_words import midden_command

_RECENT_DAYS: Final = 60
_WIDE: Final = 125
_ONLY_WIDE: Final = ("MB", "entities", "days", "neotoma")
_SHOWN_PLACES: Final = 5
_COMPARED: Final = ("lacking", "wiped")
_NO_COPY: Final = ("truncated", "empty", "unreadable")
_STATES: Final = {"sound": "green", "damaged": "red", "truncated": "red", "empty": "yellow"}


def print_inventory(report: InventoryReport, now: datetime, console: Console) -> None:
    """Print the inventory, what could not be read, and the drop checks."""
    if report.copies:
        console.print(_table(report.copies, console.width))
        for line in _problems(report.copies):
            console.print(Text(line), soft_wrap=True)
    for line in _closing(report, now):
        console.print(Text(line), soft_wrap=True)


def drop_line(drop: DropCheck, now: datetime) -> str:
    """Return in one line what the user needs first."""
    if drop.verdict == "unread":
        return f"{drop.target}: not read: another program keeps it locked; next: {drop.next}"
    if drop.verdict == "ruined":
        saved = f"{drop.observations:,} observations can be salvaged of it"
        return f"{drop.target} cannot be used as it is; {saved}; next: {drop.next}"
    has = f"{drop.observations:,} observations now"
    if drop.verdict == "alone":
        return f"{drop.target}: {has}, and no other copy was found"
    best = f"{drop.best_observations:,} in {drop.best} {_ago(drop.best_last, now)}".rstrip()
    if drop.verdict == "whole":
        return f"{drop.target}: {has}; it has all that its copies hold"
    if drop.verdict == "wiped":
        return f"{drop.target} looks wiped: {has}, {best}; next: {drop.next}"
    return f"{drop.target} lacks {drop.lacks:,} observations: {has}, {best}; next: {drop.next}"


def status_text(report: StatusReport, now: datetime) -> str:
    """Return the status of one database as text: what it needs first comes first."""
    lines = [make_printable(drop_line(report.drop, now))]
    if report.drop.verdict in _COMPARED and report.drop.best:
        lines.append(label_line("compare", f"entity by entity: {compare_command(report.drop)}"))
    if report.problem:
        lines.append(label_line(report.state, report.problem.removeprefix(f"{report.state}: ")))
    lines.append(
        label_line("searched", f"{join_places(report.searched)}: {report.copies:,} other copies")
    )
    if report.further:
        lines.append(label_line("", f"to recover from all of your home folder: {report.further}"))
    lines += _archive_lines(report.kept_archives, now)
    lines += _log_lines(report.left_logs)
    if report.vault_absent:
        lines.append(label_line("vault", report.vault_absent.removeprefix("vault ")))
    elif report.protection:
        lines.append(label_line("vault", report.protection.said))
    elif report.next:
        lines.append(label_line("vault", f"no backup was ever taken; next: {report.next}"))
    lines += standing_lines(report.remotes)
    lines += lines_of_unfinished(report.unfinished)
    for left in report.left:
        lines.append(
            label_line("left over", f"{left.path}, {left.bytes / 1e6:,.1f} MB: {left.detail}")
        )
    raw = report.raw_files
    if raw and raw.gone:
        gone = f"{raw.gone:,} of the {raw.listed:,} raw files in the newest backup"
        lines.append(label_line("raw files", f"{gone} are no longer with the database"))
        lines.append(label_line("", f"next: {report.next}"))
    return "\n".join(lines)


def _table(copies: tuple[CopyRow, ...], width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    folder = common_folder([row.shown for row in copies])
    if folder:
        table.title = Text(f"copies below {folder}")
        table.title_justify = "left"
    columns = [column for column in _COLUMNS if width >= _WIDE or column[0] not in _ONLY_WIDE]
    for title, right, _ in columns:
        fold: Literal["fold", "ellipsis"] = "fold" if title == "copy" else "ellipsis"
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(title, justify=justify, no_wrap=title != "copy", overflow=fold)
    for row in copies:
        style = "dim" if row.same_as else ""
        table.add_row(*(cell(row, folder) for _, _, cell in columns), style=style)
    return table


def _place(row: CopyRow, folder: str) -> Text:
    notes = [f"= {row.same_as.removeprefix(folder)}"] if row.same_as else []
    notes += [f"backup {row.backup}"] if row.backup else []
    notes += [f"+ {row.journal} {row.journal_bytes / 1e6:,.1f} MB"] if row.journal != "none" else []
    below = "".join(f"\n  {note}" for note in notes)
    return Text(row.shown.removeprefix(folder) + below, style="bold" if row.live else "")


def _environment(row: CopyRow, _: str) -> Text:
    short = {"production": "prod", "development": "dev"}.get(row.environment or "", "")
    return Text(short + ("*" if row.environment_by == "content" else ""))


def _exclusive(row: CopyRow, _: str) -> Text:
    return Text(_number(row.exclusive), style="bold" if row.exclusive else "dim")


def _version(row: CopyRow, _: str = "") -> str:
    if row.version_from is None:
        return ""
    if row.version_before is None:
        return f"{row.version_from}+"
    return f"{row.version_from} \N{EN DASH} <{row.version_before}"


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


_COLUMNS: Final[tuple[tuple[str, bool, Callable[[CopyRow, str], Text | str]], ...]] = (
    ("copy", False, _place),
    ("db", False, lambda row, _: row.database or ""),
    ("env", False, _environment),
    ("state", False, lambda row, _: Text(row.state, style=_STATES.get(row.state, ""))),
    ("MB", True, lambda row, _: f"{row.size / 1e6:,.1f}"),
    ("obs.", True, lambda row, _: _number(row.observations)),
    ("only here", True, _exclusive),
    ("entities", True, lambda row, _: _number(row.entities)),
    ("observed", False, lambda row, _: days(row.first, row.last)),
    ("days", True, lambda row, _: str(row.days) if row.days else ""),
    ("neotoma", False, _version),
)


def _problems(copies: tuple[CopyRow, ...]) -> Iterator[str]:
    for row in copies:
        if row.problem:
            salvaged = ""
            if row.salvaged:
                salvaged = f"; {row.observations or 0:,} observations salvaged ({row.salvaged})"
                salvaged += f", {row.unproven:,} rows unproven" if row.unproven else ""
            yield label_line(
                row.state, f"{row.shown}: {row.problem.removeprefix(row.state + ': ')}{salvaged}"
            )
        elif row.unproven:
            yield label_line(
                "unproven",
                f"{row.shown}: {row.unproven:,} rows whose id is not the hash of their content",
            )
    if any(row.environment_by == "content" for row in copies):
        yield label_line("*", "by the database it descends from; its name does not say")


def _closing(report: InventoryReport, now: datetime) -> Iterator[str]:
    found = _say_found(report.copies)
    yield label_line("searched", f"{join_places(report.searched)}: {report.files:,} files, {found}")
    yield from _archive_lines(report.kept_archives, now)
    yield from _log_lines(report.left_logs)
    for path, problem in report.archives.items():
        yield label_line("archive", f"{path}: {problem}")
    unreadable = list(report.unreadable.items())
    for path, reason in unreadable[:_SHOWN_PLACES]:
        yield label_line("not read", f"{path}: {reason}")
    if len(unreadable) > _SHOWN_PLACES:
        yield label_line("", f"and {len(unreadable) - _SHOWN_PLACES:,} more; --json lists them")
    for name in ("parquet", "picture"):
        if getattr(report, name):
            yield label_line(name, getattr(report, name))
    for drop in report.drops:
        if drop.verdict != "alone":
            yield make_printable(drop_line(drop, now))
        if drop.verdict in _COMPARED and drop.best:
            yield label_line("compare", f"entity by entity: {compare_command(drop)}")


def compare_command(drop: DropCheck) -> str:
    """Return the command that tells what a database lacks of its best copy."""
    return midden_command("diff", Path(drop.best or ""), Path(drop.target), target=None)


def _archive_lines(archives: tuple[KeptArchive, ...], now: datetime) -> Iterator[str]:
    for one in archives:
        if one.problem:
            said = f"{one.path}: not counted: {one.problem}; next: {one.command}"
        else:
            said = f"{one.path}{_say_rows(one, now)}; to bring back what it holds: {one.command}"
        yield label_line("archive", said)


def _log_lines(logs: tuple[LeftLog, ...]) -> Iterator[str]:
    for log in logs:
        said = f"{log.path}: {log.bytes:,} bytes, and its database is gone"
        yield label_line("log", f"{said}; to keep it and recover what it holds: {log.command}")


def _say_rows(archive: KeptArchive, now: datetime) -> str:
    if archive.observations is None:
        return ""
    last, appended = _ago(archive.last, now), _ago(archive.appended, now)
    newest = f", the newest of {last}".replace("of on ", "of ") if last else ""
    rows = f"{archive.observations:,} observations{newest}, {sum(archive.rows.values()):,} rows"
    return f": {rows}, last appended to {appended}" if appended else f": {rows}"


def _say_found(copies: tuple[CopyRow, ...]) -> str:
    broken = sum(row.state in _NO_COPY for row in copies)
    if broken == len(copies):
        found = "no copy of a Neotoma database"
    else:
        found = f"{len(copies) - broken:,} copies of a Neotoma database"
    return found + (f", and {broken:,} files that no longer are one" if broken else "")


def _ago(moment: str | None, now: datetime) -> str:
    """Return how long ago a moment was, in days; the day itself where that is long."""
    try:
        then = datetime.fromisoformat(moment or "")
    except ValueError:
        return ""
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    ago = (now.date() - then.astimezone(UTC).date()).days
    if not 0 <= ago <= _RECENT_DAYS:
        return f"on {then:%Y-%m-%d}"
    return {0: "today", 1: "yesterday"}.get(ago, f"{ago} days ago")
