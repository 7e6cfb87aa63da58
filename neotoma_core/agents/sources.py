"""What a recovery takes its rows from: copies, folders, a backup, or the logs of a remote.

A remote is one that the vault of the database knows, by its name: an agent names no address.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from neotoma_core.agents.copies import Known, path_of, places_of, search_request
from neotoma_core.agents.plain import plain_name
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.documents.models import read_model
from neotoma_core.files.headers import INDEX
from neotoma_core.find.vault_copies import in_vault
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.pull.sources import CopyRequest, choose_logs, remote_copies
from neotoma_core.recovery.run.composed import compose_run
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest, RecoveryRun
from neotoma_core.remotes.known import KnownRemote, read_remotes
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.opening import open_known_remote, read_identities
from neotoma_core.report.progress import Progress
from neotoma_core.vault.backups import FOLDER, MANIFEST
from neotoma_core.vault.documents import EvidenceManifest
from neotoma_core.vault.folder import open_vault, read_json

Mode = Literal["keep-target", "keep-source"]
TARGET_LABEL: Final = "target"
_SHORT: Final = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What an agent asked for: copies by id or path, folders, or a backup or remote of the vault.

    Of the four at most one; none means the folders of the scope. ``as_of``: see ``as_of.py``.
    """

    target: str
    copies: Sequence[str] = ()
    folders: Sequence[str] = ()
    backup: str = ""
    mode: Mode = "keep-target"
    as_of: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a recovery takes its copies from; ``search``: whether the places are searched.

    ``mode``: what happens to rows that share a key and differ. ``remote``: the name of the remote
    that has the logs; then there are no places.
    """

    search: bool
    places: tuple[Path, ...]
    mode: str
    remote: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that began. ``logs``: of a remote, each with the hash of what was pushed to it."""

    run: RecoveryRun
    remote: str | None = None
    logs: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """The hashes of what a run reads: of its inputs, and of its target's files."""

    inputs: tuple[str, ...]
    held: tuple[str, ...]


def source_of(scope: Scope, known: Known, protected: Protected, asked: Asked) -> Source:
    """Return what an agent asked to recover from, within the scope; raises Refused."""
    if sum(map(bool, (asked.copies, asked.folders, asked.backup, asked.remote))) > 1:
        raise Refused(
            "ONE_SOURCE",
            "give copies, folders, a backup or a remote; only one of them",
            "plan_recovery",
        )
    if asked.copies:
        paths = tuple(dict.fromkeys(path_of(scope, known, words) for words in asked.copies))
        return Source(search=False, places=paths, mode=asked.mode)
    if asked.remote:
        name = _remote_named(protected, asked.remote).name
        return Source(search=False, places=(), mode=asked.mode, remote=name)
    if asked.backup:
        found = None if "/" in asked.backup else in_vault(asked.backup, protected.vault)
        if found is None:
            raise Refused("BACKUP_UNKNOWN", "the vault has no such backup", "call list_backups")
        folder = protected.vault / FOLDER / found.name
        return Source(search=False, places=(folder,), mode=asked.mode)
    places = places_of(scope, asked.folders) or scope.places
    return Source(search=True, places=places, mode=asked.mode)


@contextmanager
def begun_run(
    scope: Scope, protected: Protected, source: Source, now: datetime, progress: Progress
) -> Iterator[Begun]:
    """Begin the run of a recovery, as the command line does; the logs of a remote are brought."""
    mode: Mode = "keep-source" if source.mode == "keep-source" else "keep-target"
    request = RecoverRequest(
        target=protected.path,
        backups=() if source.search else source.places,
        vault=protected.vault,
        policy=MergePolicy(mode, "by-mode"),
        key=scope.key,
        archived=True,
        raw_storage=protected.raw_storage,
    )
    if source.search:
        where = search_request(scope, source.places)
        with compose_run(request, where, now, progress) as run:
            yield Begun(run)
    elif source.remote is not None:
        with (
            _bring_logs(protected, source.remote, progress) as (paths, logs),
            recovery_run(replace(request, backups=paths), now) as run,
        ):
            yield Begun(run, source.remote, logs)
    else:
        with recovery_run(request, now) as run:
            yield Begun(run)


def bound_to(begun: Begun) -> Bound:
    """Return the hashes of all that a run has copied before it read it.

    Of a remote: of what was pushed, since what is built of it here is another file each time.
    """
    folder = begun.run.folders.evidence
    manifest = read_model(EvidenceManifest, read_json(folder / MANIFEST))
    inputs: list[str] = [*(begun.logs or {}).values()]
    held: list[str] = []
    for database in manifest.databases:
        files = [f.sha256 for f in database.files if not f.name.endswith(INDEX)]
        if database.label == TARGET_LABEL:
            held += files
        elif begun.logs is None:
            inputs += files
    inputs += [f.sha256 for f in manifest.left_behind if not f.name.endswith(INDEX)]
    return Bound(tuple(sorted(inputs)), tuple(sorted(held)))


def shown_logs(begun: Begun) -> list[str]:
    """Return the logs of a remote as an agent is shown them; none where there is no remote."""
    name = plain_name(begun.remote, "remote")
    return [f"the log {writer[:_SHORT]} of the remote {name}" for writer in begun.logs or ()]


@contextmanager
def _bring_logs(
    protected: Protected, name: str, progress: Progress
) -> Iterator[tuple[tuple[Path, ...], Mapping[str, str]]]:
    """Bring the logs of a remote here, for as long as they are used."""
    known = _remote_named(protected, name)
    open_vault(protected.vault, protected.path)
    asked = CopyRequest(protected.path, protected.vault, protected.raw_storage)
    with open_known_remote(protected.vault, known, read_identities(None, known.name)) as remote:
        logs = choose_logs(remote, None)
        with remote_copies(asked, remote, logs, progress) as copies:
            pushed = {writer: _hash_of_push(known, writer, log) for writer, log in logs.items()}
            yield tuple(copy.archive for copy in copies), pushed


def _remote_named(protected: Protected, words: str) -> KnownRemote:
    for known in read_remotes(protected.vault):
        if words in (known.name, plain_name(known.name, "remote")):
            return known
    raise Refused(
        "REMOTE_UNKNOWN",
        "the vault knows no remote of that name; addresses are not taken",
        "call get_status, which lists the remotes of a database",
    )


def _hash_of_push(known: KnownRemote, writer: str, log: Log) -> str:
    return hashlib.sha256(f"{known.id} {writer} {log.last_hash}".encode()).hexdigest()
