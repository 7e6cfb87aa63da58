"""What a database holds that is about to be backed up: copied as of one instant, and measured."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from neotoma_core.backup.drills.besides import find_proven
from neotoma_core.backup.request import BackupRequest
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.comparison.faults import read_faults
from neotoma_core.comparison.fingerprints import Fingerprint
from neotoma_core.comparison.identity import Sample, is_same_database
from neotoma_core.comparison.logs_in_common import read_log
from neotoma_core.comparison.measuring import count_contents, fingerprint_tables
from neotoma_core.errors import OtherDatabase
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.sqlite.faults import Fault
from neotoma_core.sqlite.inspection import StoredTable, inspect_database
from neotoma_core.sqlite.live_copies import copy_whole
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault import folder as vault
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.documents import Identity
from neotoma_core.vault.manifests import Backup, Manifest


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole copy of the database in a folder of scratch, its SHA-256, and what is in it."""

    scratch: Path
    whole: Path
    digest: str
    tables: dict[str, StoredTable]
    fingerprints: dict[str, Fingerprint]
    counts: Counts
    faults: tuple[Fault, ...]


def measure(  # noqa: PLR0913, PLR0917 - the database, its vault, and the progress
    request: BackupRequest,
    scratch: Path,
    before: Sequence[Backup],
    now: datetime,
    progress: Progress,
    clock: Clock,
) -> Measured:
    """Copy the database and say what is in it; what a drill proved of its bytes is known already.

    ``before``: the backups there are.
    """
    target = request.target
    progress.begin("copy", target.stat().st_size)
    whole = copy_whole(target, scratch, progress.advance)
    clock.lap("copy")
    progress.begin("measure")
    digest = sha256_of(whole)
    with closing(connect_read_only(whole)) as connection:
        found = inspect_database(connection, target)
    tables = {table.name: table for table in found.tables}
    proven = find_proven(digest, before, now)
    counts = proven.manifest.counts if proven else count_contents(whole, tables, target)
    _require_own(request, whole, counts)
    if proven is not None:
        fingerprints, found_faults = (
            dict(proven.manifest.fingerprints),
            proven.manifest.faults or (),
        )
    else:
        with ThreadPoolExecutor(max_workers=1) as pool:
            faults = pool.submit(read_faults, whole)
            fingerprints = fingerprint_tables(whole, found.tables, target)
            found_faults = faults.result()
    clock.lap("measure")
    return Measured(scratch, whole, digest, tables, fingerprints, counts, found_faults)


def _require_own(request: BackupRequest, whole: Path, counts: Counts) -> None:
    """Raise OtherDatabase where the vault protects another one, as their contents say."""
    if request.other_database:
        return
    identity = vault.read_description(request.vault).identity or Identity()
    manifests = [backup.manifest for backup in list_backups(request.vault).backups]
    samples = (Sample(m.counts.sample, 0).hashes for m in manifests)
    known = [*identity.observations, *chain(*samples)]
    target = str(request.target.absolute())
    newest = max((m.counts.newest for m in manifests if m.counts.newest), default=None)
    first = read_log(whole, request.target).first
    if not is_same_database(
        known,
        max((m.counts.observations for m in manifests), default=identity.count),
        Sample(counts.sample, counts.observations),
        same_place=target in (identity.target, *(m.target for m in manifests)),
        begun_after=bool(newest and first is not None and first > newest.timestamp() * 1000),
    ) or _is_of_other_environment(request, known, manifests):
        raise OtherDatabase(request.vault, request.target)


def _is_of_other_environment(
    request: BackupRequest, known: Sequence[str], manifests: Sequence[Manifest]
) -> bool:
    """Return whether only names can tell, and do: nothing was ever stored in what is known."""
    ours = environment_of(request.target.name)
    theirs = {m.environment for m in manifests} - {None}
    return not known and ours is not None and bool(theirs) and ours not in theirs
