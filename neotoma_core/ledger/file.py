"""The erasure ledger of a vault: which ids were erased, as salted hashes, for good.

``erasures.jsonl``: a first line with the salt, then one line per event, in order: ids erased by a
run (hashes by kind), or a run that finished. Each line has a check that covers all lines before
it; ``vault.json`` says how many lines there must be and what the last one's check is.

Invariant: what was recorded once is never lost unnoticed. Write order: the whole ledger under a
temporary name, with the new line → synced → renamed → ``vault.json`` likewise; and only then may
the target be touched. A ledger that is longer than ``vault.json`` says is one whose run was killed
between the two.

``ledgers/<writer>/``: ledgers of other machines that have the same memory, each as in a vault of
its own. What one of them erased is erased here, too.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from neotoma_core.documents.models import NotAsModelled, read_model
from neotoma_core.erased.hashed import SALT_BYTES, ErasedIds, hash_ids
from neotoma_core.errors import VaultDamaged
from neotoma_core.files.atomic import write_file
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.vault.documents import LedgerEvent, LedgerStart, event_of
from neotoma_core.vault.folder import (
    BACKUPS,
    DESCRIPTION,
    EVIDENCE,
    WITH_ERASURES,
    describe,
    open_vault,
    read_description,
)

LEDGER: Final = "erasures.jsonl"
LEDGERS: Final = "ledgers"
_NO_CHECK: Final = ""
_CHECK: Final = ',"check":"'  # what parts a line's check from what it covers


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger as it is on disk.

    ``unfinished``: the runs that recorded erasures and did not say that they were done.
    ``last_erased_at``: when ids were last recorded, ISO 8601 in UTC; None where none ever were.
    ``events``: what the lines say, in order.
    """

    vault: Path
    lines: tuple[str, ...]
    check: str
    erased: ErasedIds
    unfinished: tuple[str, ...]
    last_erased_at: str | None = None
    events: tuple[LedgerEvent, ...] = ()


def read_erased(vault: Path) -> ErasedIds:
    """Return what a vault knows to be erased; raises VaultDamaged."""
    return read_ledger(vault).erased


def read_erased_around(vault: Path, *places: Path) -> ErasedIds:
    """Return what a vault knows to be erased, and what the vaults do that ``places`` are in.

    What comes out of another vault of the database, as one it had before, is held to its ledger.
    Raises VaultDamaged.
    """
    around = {found.resolve() for place in places if (found := _vault_around(place)) is not None}
    others = sorted(around - {vault.resolve()})
    own = read_erased(vault)
    return replace(own, others=(*own.others, *map(read_erased, others)))


def _vault_around(place: Path) -> Path | None:
    for folder in (place.absolute(), *place.absolute().parents):
        kept = any((folder / name).exists() for name in (LEDGER, BACKUPS, EVIDENCE))
        if kept and (folder / DESCRIPTION).is_file():
            return folder
    return None


def read_ledger(vault: Path) -> Ledger:
    """Read and prove the ledger of a vault, empty where nothing was ever erased.

    Raises VaultDamaged where a line was changed or is missing, or the whole ledger is.
    """
    path = vault / LEDGER
    promised, check = _read_promise(vault)
    others = tuple(read_ledger(folder).erased for folder in foreign_ledgers(vault))
    if not path.exists():
        if promised:
            raise _damage_of(path, "the ledger is missing")
        return Ledger(vault, (), _NO_CHECK, ErasedIds(others=others), ())
    lines = _lines(path)
    checks = [_NO_CHECK]
    events: list[LedgerEvent] = []
    salt = b""
    for number, line in enumerate(lines):
        said = _parse_line(path, line)
        if number == 0:
            salt = _salt(path, said)
        checks.append(_verify_line(path, salt, checks[-1], line))
        if number:
            events.append(_event(path, said))
    if len(lines) < promised or checks[promised] != check:
        raise _damage_of(path, "lines are missing")
    times = [_iso(event.at) for event in events if event.erased is not None]
    last = times[-1] if times else None
    erased = replace(_collect_erased(salt, events), others=others)
    unfinished = _find_unfinished(events)
    return Ledger(vault, lines, checks[-1], erased, unfinished, last, tuple(events))


def find_erased_since(ledger: Ledger, moment: datetime) -> ErasedIds:
    """Return what a vault itself recorded as erased from a moment on; the ledger has seconds."""
    from_then = moment.replace(microsecond=0)
    later = [event for event in ledger.events if event.at >= from_then]
    return _collect_erased(ledger.erased.salt, later)


def foreign_ledgers(vault: Path) -> tuple[Path, ...]:
    """Return the folders with ledgers of other machines that a vault keeps."""
    return tuple(sorted(path.parent for path in (vault / LEDGERS).glob(f"*/{LEDGER}")))


def keep_foreign_ledger(vault: Path, writer: str, lines: Sequence[str]) -> None:
    """Keep the ledger of another machine, which only ever grows.

    One that does not continue the kept one is kept next to it. Raises VaultDamaged.
    """
    kept = tuple(lines)
    if not kept:
        return
    folder = vault / LEDGERS / writer
    there = read_ledger(folder).lines if (folder / LEDGER).exists() else ()
    if there[: len(kept)] == kept:
        return
    if kept[: len(there)] != there:
        folder = vault / LEDGERS / f"{writer}-{hashlib.sha256(kept[-1].encode()).hexdigest()[:8]}"
    open_vault(folder, Path(read_description(vault).protects))
    place_ledger(folder, kept)


def record_erasure(
    ledger: Ledger, run: str, now: datetime, ids: Mapping[str, Iterable[str]]
) -> Ledger:
    """Record ids, by kind, as erased by ``run``; return the ledger as it is then.

    What is recorded already is not recorded again.
    """
    salt = ledger.erased.salt or os.urandom(SALT_BYTES)
    new: dict[str, JsonValue] = {}
    for kind in sorted(ids):
        known = ledger.erased.hashes.get(kind, frozenset())
        digests = sorted({digest for _, digest in hash_ids(salt, kind, ids[kind])} - known)
        if digests:
            new[kind] = list(digests)
    return _append(ledger, salt, {"run": run, "at": _iso(now), "erased": new})


def record_finished(ledger: Ledger, run: str, now: datetime) -> Ledger:
    """Record that all that was recorded so far has gone from the target."""
    return _append(ledger, ledger.erased.salt, {"run": run, "at": _iso(now), "finished": True})


def place_ledger(vault: Path, lines: Sequence[str]) -> None:
    """Give a vault without a ledger the lines of another one's, from the first on, proven.

    Raises VaultDamaged where they are not what was written.
    """
    if not lines:
        return
    write_file(vault / LEDGER, "".join(f"{line}\n" for line in lines).encode())
    check = lines[-1].rpartition(_CHECK)[2].removesuffix('"}')
    _promise(vault, len(lines), check)
    read_ledger(vault)


def _append(ledger: Ledger, salt: bytes, event: dict[str, JsonValue]) -> Ledger:
    lines, check = list(ledger.lines), ledger.check
    first: dict[str, JsonValue] = {"format": 1, "salt": salt.hex()}
    for one in (event,) if lines else (first, event):
        body = orjson.dumps(one).decode()
        check = _check_of(salt, check, body)
        lines.append(f'{body[:-1]}{_CHECK}{check}"}}')
    write_file(ledger.vault / LEDGER, "".join(f"{line}\n" for line in lines).encode())
    _promise(ledger.vault, len(lines), check)
    return read_ledger(ledger.vault)


def _promise(vault: Path, lines: int, check: str) -> None:
    """Write down how long the ledger of a vault is at least."""
    promise: JsonValue = {"lines": lines, "check": check}
    describe(vault, {"format": WITH_ERASURES, "erasures": promise})


def _read_promise(vault: Path) -> tuple[int, str]:
    """Return how many lines the ledger must have at least, and the check of the last of them."""
    description = vault / DESCRIPTION
    if not description.exists():
        return 0, _NO_CHECK
    known = read_description(vault)
    if known.erasures is None and known.format != WITH_ERASURES:
        return 0, _NO_CHECK
    if known.erasures is None or not known.erasures.lines:
        raise _damage_of(description, "it does not say how long the ledger is")
    return known.erasures.lines, known.erasures.check


def _lines(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise _damage_of(path, "not text") from error
    if not text.endswith("\n"):
        raise _damage_of(path, "cut off")
    return tuple(text[:-1].split("\n"))


def _parse_line(path: Path, line: str) -> dict[str, JsonValue]:
    """Return what a line says, less its check."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _damage_of(path, "a line is not JSON") from error
    if not isinstance(said, dict):
        raise _damage_of(path, "a line is not an event")
    return {name: value for name, value in said.items() if name != "check"}


def _event(path: Path, said: dict[str, JsonValue]) -> LedgerEvent:
    try:
        return event_of(said)
    except NotAsModelled as error:
        raise _damage_of(path, f"a line is not an event: {error}") from None


def _salt(path: Path, said: dict[str, JsonValue]) -> bytes:
    wrong = "it has no salt, or was made by a newer midden"
    try:
        start = read_model(LedgerStart, said)
        salt = bytes.fromhex(start.salt)
    except ValueError:
        raise _damage_of(path, wrong) from None
    if start.format != 1 or len(salt) != SALT_BYTES:
        raise _damage_of(path, wrong)
    return salt


def _verify_line(path: Path, salt: bytes, before: str, line: str) -> str:
    body, _, said = line.rpartition(_CHECK)
    check = _check_of(salt, before, f"{body}}}")
    if said != f'{check}"}}':
        raise _damage_of(path, "a line is not what was written")
    return check


def _check_of(salt: bytes, before: str, body: str) -> str:
    content = before + body
    return hashlib.blake2b(content.encode(), key=salt, digest_size=SALT_BYTES).hexdigest()


def _collect_erased(salt: bytes, events: Sequence[LedgerEvent]) -> ErasedIds:
    hashes: dict[str, set[str]] = {}
    for event in events:
        for kind, digests in (event.erased or {}).items():
            hashes.setdefault(kind, set()).update(digests)
    return ErasedIds(salt, {kind: frozenset(digests) for kind, digests in hashes.items()})


def _find_unfinished(events: Sequence[LedgerEvent]) -> tuple[str, ...]:
    runs: list[str] = []
    for event in events:
        if event.erased is not None:
            runs.append(event.run)
        else:
            runs.clear()
    return tuple(runs)


def _iso(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _damage_of(path: Path, wrong: str) -> VaultDamaged:
    advice = "restore it from a copy of the vault: without it, what was erased would come back"
    return VaultDamaged(path, wrong, advice)
