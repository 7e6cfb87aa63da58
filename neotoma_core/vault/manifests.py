"""What is kept about a backup: its manifest, which never changes, and its state, which does. Pure.

Both are written as one line of JSON that ends with the SHA-256 of what is before, so that no byte
of them can change unnoticed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from neotoma_core.comparison.anomaly import Counts
from neotoma_core.comparison.fingerprints import Fingerprint
from neotoma_core.documents.document import document, document_of
from neotoma_core.documents.models import FileName, NotAsModelled, read_model
from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.sqlite.faults import Fault

FORMAT: Final = 1
Kind = str
"""``manual``, ``scheduled`` or ``before-<operation>``."""
Outcome = Literal["pass", "fail", "inconclusive"]
Level = Literal["none", "checksums", "restored", "recomputed"]
"""How far a drill got: the stored bytes; restored, sound and the same rows; snapshots recomputed
and raw files hashed."""

_CHECK: Final = b',"check":"'


@dataclass(frozen=True, slots=True)
class RawFiles:
    """The raw files of a backup, which are in ``blobs``; their names are in a file of its own.

    ``missing``: files that sources name and that were nowhere. ``damaged``: those whose bytes were
    not what their name says. ``held``: of ``count``, those that were no longer with the database
    and that the vault had from an earlier backup.
    """

    count: int = 0
    bytes: int = 0
    missing: int = 0
    damaged: int = 0
    held: int = 0

    @property
    def found(self) -> int:
        """How many were with the database when the backup was taken."""
        return self.count - self.held


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that is known of a backup as it was taken.

    ``vault``: the id of the vault it was made for. ``name``: of its folder. ``sequence`` counts the
    backups of a vault. ``versions``: the oldest Neotoma that can have written the database, and the
    first that did not. ``secret_tables``: those with credentials that have rows: why nobody else
    may read the files. ``faults``: what SQLite finds wrong with the database as it was; None where
    nobody had looked, since an older midden took the backup. ``rewritten_at``: when it was
    rewritten without what was erased, if so; it stands for ``taken_at`` all the same.
    """

    vault: str
    name: FileName
    sequence: int
    kind: Kind
    taken_at: datetime
    seconds: float
    target: str
    environment: str | None
    versions: tuple[str, str | None]
    database: StoredFile
    files: tuple[StoredFile, ...]
    fingerprints: Mapping[str, Fingerprint]
    counts: Counts
    secret_tables: tuple[str, ...]
    raw_files: RawFiles
    logs: int = 0
    faults: tuple[Fault, ...] | None = None
    rewritten_at: datetime | None = None
    permissions: str = "files 0600, folders 0700"
    format: int = FORMAT

    @property
    def counted_at(self) -> datetime:
        """When what it holds was counted: what was erased before that is not in its counts."""
        return self.rewritten_at or self.taken_at

    @property
    def entities(self) -> int:
        """How many entities it holds."""
        return self.counts.tables.get("entities", 0)


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill: when, how it ended, how far it got, and why it got no further.

    ``same_as``: the backup whose database, which has the very same bytes, was restored ``at`` that
    time; of this one, all else was checked.
    """

    at: datetime
    outcome: Outcome
    level: Level
    reasons: tuple[str, ...] = ()
    drifted: int = 0
    seconds: float = 0.0
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody's statement that a loss is expected: when, and why."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class BackupState:
    """What became known of a backup after it was taken.

    ``alarms``: what is less than it should be, as words; None where nobody has looked yet.
    ``verified_at``: of the last drill that passed.
    """

    drill: Drill | None = None
    verified_at: datetime | None = None
    alarms: tuple[str, ...] | None = None
    drop: float = 0.0
    accepted: Acceptance | None = None
    pinned: str | None = None

    @property
    def is_verified(self) -> bool:
        """Whether the latest drill passed."""
        return self.drill is not None and self.drill.outcome == "pass"

    @property
    def is_after_loss(self) -> bool:
        """Whether something is missing that nobody has explained."""
        return bool(self.alarms) and self.accepted is None

    def after_drill(self, drill: Drill) -> "BackupState":
        """Return the state after another drill."""
        passed = drill.outcome == "pass"
        return replace(self, drill=drill, verified_at=drill.at if passed else self.verified_at)


NO_STATE: Final = BackupState()
LOST_STATE: Final = BackupState(pinned="what was known of it was lost")


def seal_line(value: object) -> bytes:
    """Return a value, dataclasses included, as a line with its own checksum."""
    body = document(value)
    return body[:-1] + _CHECK + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def unseal(line: bytes) -> dict[str, Any]:
    """Return what a sealed line holds; raises ValueError where a byte of it is another."""
    body, _, check = line.rpartition(_CHECK)
    body += b"}"
    if check != hashlib.sha256(body).hexdigest().encode() + b'"}\n':
        raise ValueError("not what was written")
    value = document_of(body)
    if not isinstance(value, dict):
        raise NotAsModelled("", "a document")
    return value


def manifest_of(line: bytes) -> Manifest:
    """Read a manifest; raises ValueError where it is invalid, or one of a newer midden."""
    value = unseal(line)
    if value.get("format") != FORMAT:
        raise NotAsModelled("format", "one that this midden knows")
    return read_model(Manifest, value)


def state_of(line: bytes) -> BackupState:
    """Read a state; raises ValueError where it is invalid."""
    return read_model(BackupState, unseal(line))


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of the vault: what it was taken as, and what became known since.

    ``state_lost``: what was known of it cannot be read. Then it is not verified, and stays.
    """

    manifest: Manifest
    state: BackupState = field(default=NO_STATE)
    state_lost: bool = False

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.manifest.name

    @property
    def is_empty(self) -> bool:
        """Whether it has no observation."""
        return not self.manifest.counts.observations

    @property
    def is_good(self) -> bool:
        """Whether it is verified, was looked at, and is not after an unexplained loss."""
        state = self.state
        return state.is_verified and state.alarms is not None and not state.is_after_loss
