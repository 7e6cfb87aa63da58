"""How far the remotes of a vault are behind, by what is on this machine: none is asked.

``standing.json`` next to the kept entries of a remote says how the last push went. Where it is not
there, as in a vault of an older midden, the last entry that this machine pushed says when.

Nothing here fails because of a file that is damaged: it is named, and counts for nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.documents.document import document, document_of
from neotoma_core.documents.models import read_model
from neotoma_core.errors import MiddenError, RemoteError
from neotoma_core.files.atomic import write_file
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.remotes.known import REMOTES, KnownRemote, cache_of, read_remotes
from neotoma_core.remotes.models import Entry, entry_of
from neotoma_core.remotes.names import entry_name
from neotoma_core.remotes.own import own_archive
from neotoma_core.remotes.remote import list_kept
from neotoma_core.remotes.sealing import Sealing
from neotoma_core.report.remotes import RemoteStanding, RemoteStandings
from neotoma_core.runs.commands import command

STATE: Final = "standing.json"


@dataclass(frozen=True, slots=True)
class Pushed:
    """How the last push to a remote went, at ``looked_at``.

    ``whole_at``: when the remote had all of the database; ``pushed_at``: when something was pushed
    last; ``failed``: why not all was pushed, empty where it was.
    """

    looked_at: datetime
    whole_at: datetime | None = None
    pushed_at: datetime | None = None
    failed: str = ""


def last_push(cache: Path) -> Pushed | None:
    """Return how the last push went; None where that is not known. Raises ValueError, OSError."""
    try:
        return read_model(Pushed, document_of(read_small(cache / STATE)))
    except FileNotFoundError:
        return None


def keep_push(cache: Path, now: datetime, *, pushed: bool = False, failed: str = "") -> None:
    """Keep how a push went. ``pushed``: something was; ``failed``: why not all of it."""
    before = None
    with suppress(ValueError, OSError):
        before = last_push(cache)
    kept = Pushed(now.astimezone(UTC), failed=failed)
    if before is not None:
        kept = replace(kept, whole_at=before.whole_at, pushed_at=before.pushed_at)
    if not failed:
        kept = replace(kept, whole_at=kept.looked_at)
    if pushed:
        kept = replace(kept, pushed_at=kept.looked_at)
    write_file(cache / STATE, document(kept) + b"\n")


def failure_of(error: MiddenError) -> str:
    """Return why a push failed, in few words."""
    return error.wrong if isinstance(error, RemoteError) else str(error)


def standings_of(vault: Path, target: Path, now: datetime) -> RemoteStandings:
    """Return how far each remote of a vault is behind; nothing is asked of any."""
    try:
        there = read_remotes(vault)
    except (MiddenError, OSError) as error:
        said = str(error) if isinstance(error, MiddenError) else f"{vault / REMOTES}: not readable"
        return RemoteStandings(problem=said)
    own = _own_archive(vault)
    return RemoteStandings(tuple(_standing(vault, target, one, own, now) for one in there))


def _standing(
    vault: Path, target: Path, known: KnownRemote, own: str | None, now: datetime
) -> RemoteStanding:
    cache = cache_of(vault, known.id)
    damaged: list[str] = []
    state = None
    try:
        state = last_push(cache)
    except (ValueError, OSError):
        damaged.append(str(cache / STATE))
    whole_at = state.whole_at if state else None
    pushed_at = state.pushed_at if state else None
    if pushed_at is None and own is not None:
        entry = _last_entry(known, cache, own, damaged.append)
        pushed_at = entry.at if entry else None
        whole_at = whole_at or pushed_at
    lag = None if whole_at is None else max((now - whole_at).total_seconds(), 0.0)
    push = command("push", target=target, vault=vault, then=("--remote", known.name))
    return RemoteStanding(
        known.name,
        known.url,
        pushed_at,
        whole_at,
        lag,
        state.failed if state else "",
        tuple(damaged),
        push,
    )


def _last_entry(
    known: KnownRemote, cache: Path, own: str, damaged: Callable[[str], None]
) -> Entry | None:
    """Return the last entry of a log of this vault's archive, as it was kept."""
    sealing = Sealing(known.name, known.recipients, Secret(known.key) if known.key else None)
    found = []
    for writer, number in dict(sorted(list_kept(cache))).items():  # the last of each log
        name = entry_name(writer, number)
        try:
            entry = entry_of(sealing.open_entry(name, read_small(cache / name)))
        except (MiddenError, ValueError, OSError):
            damaged(str(cache / name))
            continue
        if entry.of_archive == own:
            found.append(entry)
    return max(found, key=lambda entry: entry.at, default=None)


def _own_archive(vault: Path) -> str | None:
    with suppress(MiddenError, OSError):
        archive = own_archive(vault)
        return archive.record.archive if archive and archive.record else None
    return None
