"""Reading the databases of a recovery: each is proven, looked into and extracted."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from neotoma_core.errors import BackupError
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.report.progress import Progress
from neotoma_core.runs.evidence import DatabaseEvidence
from neotoma_core.runs.run import Run
from neotoma_core.sources.extract import Extract, Opened, open_database, prove_pages, read_tables
from neotoma_core.sources.narrowing import Narrowing, narrow, pick_touched
from neotoma_core.sources.salvaged_extract import keep_proven
from neotoma_core.sources.wanted import Wanted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadDatabase:
    """One database, secured and extracted; or the reason why it could not be."""

    evidence: DatabaseEvidence
    extract: Extract | None
    reason: str = ""


def read_database(run: Run, wanted: Wanted, evidence: DatabaseEvidence) -> ReadDatabase:
    """Extract one secured database whole; one that cannot be read may be skipped if asked to."""

    def extract_all() -> Extract:
        opened = open_database(run, evidence)
        prove_pages(opened.whole, opened.database)
        return keep_proven(run, read_tables(run, wanted, opened, {}))

    extract, reason = _try_to(wanted, evidence, extract_all)
    return ReadDatabase(evidence, extract, reason)


def read_databases(
    run: Run, wanted: Wanted, secured: Sequence[DatabaseEvidence], progress: Progress
) -> tuple[ReadDatabase, ...]:
    """Extract all databases, two at a time, and of large ones only the rows that matter."""

    def read(evidence: DatabaseEvidence, one: Opened | None, reason: str) -> ReadDatabase:
        extract = None
        if one is not None:
            extract, reason = _try_to(
                wanted,
                evidence,
                lambda: keep_proven(run, read_tables(run, wanted, one, {})),
            )
        progress.advance(1)
        return ReadDatabase(evidence, extract, reason)

    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(lambda evidence: _open(run, wanted, evidence), secured))
        usable = [one for one, _ in found if one is not None]
        with _proving_pages([one for one in usable if one.database.number == TARGET]):
            narrowing = narrow(run, wanted, usable)
            if narrowing.tables:
                extracts = _read_narrowed(run, wanted, usable, narrowing)
                return tuple(
                    ReadDatabase(evidence, extracts[one.database.number] if one else None, reason)
                    for evidence, (one, reason) in zip(secured, found, strict=True)
                )
            return tuple(pool.map(read, secured, *zip(*found, strict=True)))


def _open(run: Run, wanted: Wanted, evidence: DatabaseEvidence) -> tuple[Opened | None, str]:
    """Open a database; of a backup, which may be skipped, every page is proven first."""

    def open_whole() -> Opened:
        one = open_database(run, evidence)
        if evidence.database.number != TARGET:
            prove_pages(one.whole, one.database)
        return one

    return _try_to(wanted, evidence, open_whole)


@contextmanager
def _proving_pages(targets: Sequence[Opened]) -> Iterator[None]:
    """Prove every page of the target while the block reads it.

    An error in the block may come of damage: then that is what is raised.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        proofs = [pool.submit(prove_pages, one.whole, one.database) for one in targets]
        try:
            yield
        finally:
            for proof in proofs:
                proof.result()


def _read_narrowed(
    run: Run, wanted: Wanted, opened: Sequence[Opened], narrowing: Narrowing
) -> dict[int, Extract]:
    """Read what matters of the backup, then what that touches of the target; both by number."""
    target, backup = sorted(opened, key=lambda one: one.database.number)
    offered = read_tables(run, wanted, backup, narrowing.unlike)
    held = read_tables(run, wanted, target, pick_touched(narrowing, target, offered, backup))
    return {TARGET: held, backup.database.number: offered}


def _try_to(
    wanted: Wanted, evidence: DatabaseEvidence, action: Callable[[], T]
) -> tuple[T | None, str]:
    """Return what reading a database gives, or why it gives nothing where that may be."""
    try:
        return action(), ""
    except BackupError as error:
        if evidence.database.number == TARGET or not wanted.skip_unreadable:
            raise
        return None, error.wrong
