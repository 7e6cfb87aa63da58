"""Which remotes of a vault still hold what was erased, as far as the vault knows; none is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import RemoteError
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.remotes.known import KnownRemote, cache_of, read_remotes
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Entry, entry_of
from neotoma_core.remotes.names import entry_name
from neotoma_core.remotes.own import own_archive, own_log
from neotoma_core.remotes.remote import read_kept_in
from neotoma_core.remotes.sealing import Sealing

_ERASED: Final = '"erased":'


@dataclass(frozen=True, slots=True)
class HoldingRemote:
    """A remote that still holds what was erased; ``entries``: of this vault's own log there."""

    name: str
    url: str
    entries: int


def may_hold_erased(log: Log, lines: Sequence[str]) -> bool:
    """Return whether rows of a log were pushed before something was erased. Pure.

    ``lines``: of the ledger. What an entry ships lacks what the ledger named by then, and the entry
    at which the log begins has those lines.
    """
    if not log.entries:
        return False
    return any(_ERASED in line for line in lines[len(log.current[0].erasures) :])


def remotes_holding(vault: Path, lines: Sequence[str], *, more: bool) -> Iterator[HoldingRemote]:
    """Yield the remotes that hold what was erased. ``more``: what no line names yet is erased."""
    known = read_remotes(vault)
    archive = own_archive(vault) if known else None
    for remote in known:
        log = own_log(vault, _read_kept_logs(vault, remote), archive)
        if log.entries and (more or may_hold_erased(log, lines)):
            yield HoldingRemote(remote.name, remote.url, len(log.entries))


def _read_kept_logs(vault: Path, remote: KnownRemote) -> dict[str, Log]:
    """Return the logs by writer as they were when the vault last read them, as far as it can."""
    key = Secret(remote.key) if remote.key else None
    sealing = Sealing(remote.name, remote.recipients, key)
    found: dict[str, list[Entry]] = {}
    for (writer, number), stored in sorted(read_kept_in(cache_of(vault, remote.id)).items()):
        try:
            entry = entry_of(sealing.open_entry(entry_name(writer, number), stored))
        except (RemoteError, ValueError):  # a later format; the remote itself is not damaged
            continue
        found.setdefault(writer, []).append(entry)
    return {writer: Log(writer, tuple(entries)) for writer, entries in found.items()}
