"""What agents asked and what came of it: ``agents/audit.jsonl`` of a vault, which only ever grows.

One line per event, each with a check that covers all lines before it. Arguments are kept without
values: ids of entities as hashes. Write order: locked → the line appended → synced; and only then
is the tool's answer given. A file that is full becomes ``audit-000001.jsonl`` and so on, and the
lines go on in a new one: nothing is removed, and the checks cover all files.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

from neotoma_core.errors import VaultDamaged, VaultError, VaultLocked
from neotoma_core.files.atomic import sync_folder
from neotoma_core.files.locking import exclusive
from neotoma_core.files.private import make_folders
from neotoma_core.neotoma.json import JsonValue, parse_json, stringify
from neotoma_core.vault.folder import AGENTS, DESCRIPTION, open_vault

LOG: Final = "audit.jsonl"
LARGEST: Final = 4_000_000
"""Bytes of a file from which on the next line goes to a new one."""
_FULL: Final = re.compile(r"audit-(\d{6,})\.jsonl")
_LOCK: Final = "audit.lock"
_CHECK: Final = "check"
_PATIENCE: Final = 30.0
_BLOCK: Final = 1 << 16
_making: Final = Lock()


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One event, as the log has it. ``detail``: the whole message of a refusal, for a person."""

    at: str
    client: str
    tool: str
    arguments: Mapping[str, JsonValue]
    outcome: str
    code: str | None = None
    plan: str | None = None
    decision: str | None = None
    detail: str | None = None


def append_line(vault: Path, protects: Path, line: AuditLine) -> None:
    """Append an event to the log of a vault, which is made where there is none.

    Raises VaultError where it cannot be written, VaultLocked.
    """
    _make_vault(vault, protects)
    with _hold_log(vault) as log:
        before = next(filter(None, map(_last_check, (log, *reversed(_full_files(vault))))), "")
        _set_full_aside(vault, log)
        facts: dict[str, JsonValue] = {
            name: value for name, value in _facts(line).items() if value is not None
        }
        text = stringify(facts)
        raw = stringify({**facts, _CHECK: _check_of(before, text)})
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, _apart(log) + raw.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_lines(vault: Path) -> tuple[AuditLine, ...]:
    """Return the events of a vault, oldest first; none where no agent asked anything.

    Raises VaultDamaged where a line or a file was changed or taken out.
    """
    found: list[AuditLine] = []
    check = ""
    for log in (*_full_files(vault), vault / AGENTS / LOG):
        if log.is_file():
            lines, check = _read_file(log, check)
            found += lines
    return tuple(found)


def _read_file(log: Path, check: str) -> tuple[list[AuditLine], str]:
    """Return the events of one file, and the check of its last; ``check``: of the line before."""
    found = []
    for number, raw in enumerate(log.read_text("utf-8", "replace").splitlines(), start=1):
        try:
            value = parse_json(raw)
        except ValueError:
            value = None
        if value is None and raw.strip() and not raw.endswith("}"):
            continue  # cut short as the machine stopped; the next line goes on from the one before
        if not isinstance(value, dict):
            raise _damage_of(log, number)
        said = value.pop(_CHECK, None)
        check = _check_of(check, stringify(value))
        if said != check:
            raise _damage_of(log, number)
        found.append(_line(value))
    return found, check


def _full_files(vault: Path) -> tuple[Path, ...]:
    """Return the files that are full, oldest first."""
    numbers = {
        int(match[1]): path
        for path in (vault / AGENTS).glob("audit-*.jsonl")
        if (match := _FULL.fullmatch(path.name))
    }
    return tuple(numbers[number] for number in sorted(numbers))


def _set_full_aside(vault: Path, log: Path) -> None:
    """Give a log that is full its number; the next line begins a new file."""
    if log.is_symlink() or not log.exists() or log.stat().st_size < LARGEST:
        return
    last = max((int(path.stem.removeprefix("audit-")) for path in _full_files(vault)), default=0)
    log.rename(log.with_name(f"audit-{last + 1:06}.jsonl"))
    sync_folder(log.parent)


def _make_vault(vault: Path, protects: Path) -> None:
    """Make the vault where there is none; another call or process may make it meanwhile."""
    with _making:
        if (vault / DESCRIPTION).is_file():
            return
        try:
            open_vault(vault, protects)
        except (VaultError, FileNotFoundError):
            if not (vault / DESCRIPTION).is_file():
                raise


@contextmanager
def _hold_log(vault: Path) -> Iterator[Path]:
    folder = vault / AGENTS
    make_folders(folder)
    with exclusive(folder / _LOCK, _PATIENCE, lambda: VaultLocked(vault)):
        yield folder / LOG


def _apart(log: Path) -> bytes:
    """Return the line end that a line lacks which was cut short as the machine stopped."""
    if not log.exists() or not log.stat().st_size:
        return b""
    with log.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return b"" if file.read(1) == b"\n" else b"\n"


def _last_check(log: Path) -> str:
    """Return the check of the last whole line; reads no more of the file's end than it needs."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        size, read = file.seek(0, os.SEEK_END), _BLOCK
        while True:
            file.seek(max(0, size - read))
            found = _check_in(file.read().decode("utf-8", "replace"))
            if found or read >= size:
                return found
            read *= 4


def _check_in(text: str) -> str:
    for raw in reversed(text.splitlines()):
        try:
            value = parse_json(raw)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get(_CHECK), str):
            return str(value[_CHECK])
    return ""


def _check_of(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _facts(line: AuditLine) -> dict[str, JsonValue]:
    return {
        "at": line.at,
        "client": line.client,
        "tool": line.tool,
        "arguments": dict(line.arguments),
        "outcome": line.outcome,
        "code": line.code,
        "plan": line.plan,
        "decision": line.decision,
        "detail": line.detail,
    }


def _line(value: Mapping[str, JsonValue]) -> AuditLine:
    arguments = value.get("arguments")
    texts = {name: str(value[name]) for name in _OPTIONAL if value.get(name) is not None}
    return AuditLine(
        str(value.get("at", "")),
        str(value.get("client", "")),
        str(value.get("tool", "")),
        arguments if isinstance(arguments, dict) else {},
        str(value.get("outcome", "")),
        **texts,
    )


_OPTIONAL: Final = ("code", "plan", "decision", "detail")


def stamp(now: datetime) -> str:
    """Return a moment as the log has it."""
    return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _damage_of(log: Path, line: int) -> VaultDamaged:
    wrong = f"line {line:,} was changed, or a line before it is missing"
    return VaultDamaged(log, wrong, "the lines before it are as they were written")
