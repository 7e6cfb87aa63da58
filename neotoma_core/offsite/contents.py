"""Reading the contents of a remote: each downloaded, opened, and hashed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from neotoma_core.errors import DiskFull, IdentityWrong, ObjectMissing, RemoteDamaged
from neotoma_core.offsite.objects import Named
from neotoma_core.remotes.contents import Wanted, fetch_one
from neotoma_core.remotes.copies import TRANSFERS
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.stores.many import do_at_once
from neotoma_core.vault.folder import free_bytes

_AT_ONCE: Final = 8
_ROOM: Final = 3  # times a content: sealed, opened, and what is built of rows


@dataclass(frozen=True, slots=True)
class ReadContents:
    """The ``names`` of the objects that were read and are what was written.

    ``bytes``: of contents, before they were sealed. ``not_reached``: how many time did not allow.
    """

    names: frozenset[str]
    bytes: int
    not_reached: int
    findings: tuple[Finding, ...]


def read_contents(
    remote: Remote, chosen: Sequence[Named], limit: timedelta | None, progress: Progress
) -> ReadContents:
    """Read objects, several at a time; none is begun once so much time is over.

    Rows of logs stay among the transfers of the remote's cache, where a copy of the log is built
    of them. Raises DiskFull, IdentityMissing, and what a store raises.
    """
    _require_room(remote.cache, chosen)
    progress.begin("verify", sum(one.content.size for one in chosen))
    start = time.monotonic()

    def read(numbered: tuple[int, Named]) -> Finding | bool:
        if limit is not None and time.monotonic() - start > limit.total_seconds():
            return False
        number, one = numbered
        wrong = _wrong_with(remote, one, remote.cache / f"read-{number}", progress)
        return wrong or True

    names, size, not_reached, findings = set[str](), 0, 0, []
    for (_, one), found in do_at_once(read, enumerate(chosen), _AT_ONCE):
        if isinstance(found, Finding):
            findings.append(found)
        elif found:
            names.add(one.name)
            size += one.content.size
        else:
            not_reached += 1
    findings.sort(key=lambda finding: finding.subject)
    return ReadContents(frozenset(names), size, not_reached, tuple(findings))


def _wrong_with(remote: Remote, one: Named, scratch: Path, progress: Progress) -> Finding | None:
    """Return what is wrong with an object, if anything is."""
    place = remote.cache / TRANSFERS / one.content.sha256 if one.is_part else scratch
    try:
        fetch_one(remote, Wanted(one.content, one.name, place), progress)
    except RemoteDamaged as error:
        if isinstance(error.__cause__, ObjectMissing):
            return Finding("remote-missing", one.name, "it is listed, but missing")
        return Finding("remote-damaged", one.name, "it is not what was written")
    except IdentityWrong:  # the identity fits: it opened what the remote says of itself
        return Finding("remote-damaged", one.name, "it is not what was written")
    if not one.is_part:
        place.unlink()
    return None


def _require_room(place: Path, chosen: Sequence[Named]) -> None:
    parts = sum(one.content.size for one in chosen if one.is_part)
    others = max((one.content.size for one in chosen if not one.is_part), default=0)
    needed, free = _ROOM * parts + 2 * _AT_ONCE * others, free_bytes(place)
    if free < needed:
        raise DiskFull(place, needed, free)
