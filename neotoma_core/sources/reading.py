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
from neotoma_core.sources.narrowing import Narrowing, narrow, touched
from neotoma_core.sources.salvaged_extract import proven

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadDatabase:
    """One database, secured and extracted; or the reason why it could not be."""

    evidence: DatabaseEvidence
    extract: Extract | None
    reason: str = ""


def read_database(run: Run, evidence: DatabaseEvidence) -> ReadDatabase:
    """Extract one secured database whole; one that cannot be read may be skipped if asked to."""

    def extracted() -> Extract:
        opened = open_database(run, evidence)
        prove_pages(opened.whole, opened.database)
        return proven(run, read_tables(run, opened, {}))

    extract, reason = _tried(run, evidence, extracted)
    return ReadDatabase(evidence, extract, reason)


def read_databases(
    run: Run, secured: Sequence[DatabaseEvidence], progress: Progress
) -> tuple[ReadDatabase, ...]:
    """Extract all databases, two at a time, and of large ones only the rows that matter."""

    def read(evidence: DatabaseEvidence, one: Opened | None, reason: str) -> ReadDatabase:
        extract = None
        if one is not None:
            extract, reason = _tried(run, evidence, lambda: proven(run, read_tables(run, one, {})))
        progress.advance(1)
        return ReadDatabase(evidence, extract, reason)

    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(lambda evidence: _opened(run, evidence), secured))
        usable = [one for one, _ in found if one is not None]
        with _pages_proven([one for one in usable if one.database.number == TARGET]):
            narrowing = narrow(run, usable)
            if narrowing.tables:
                extracts = _read_narrowed(run, usable, narrowing)
                return tuple(
                    ReadDatabase(evidence, extracts[one.database.number] if one else None, reason)
                    for evidence, (one, reason) in zip(secured, found, strict=True)
                )
            return tuple(pool.map(read, secured, *zip(*found, strict=True)))


def _opened(run: Run, evidence: DatabaseEvidence) -> tuple[Opened | None, str]:
    """Open a database; of a backup, which may be skipped, every page is proven first."""

    def opened() -> Opened:
        one = open_database(run, evidence)
        if evidence.database.number != TARGET:
            prove_pages(one.whole, one.database)
        return one

    return _tried(run, evidence, opened)


@contextmanager
def _pages_proven(targets: Sequence[Opened]) -> Iterator[None]:
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


def _read_narrowed(run: Run, opened: Sequence[Opened], narrowing: Narrowing) -> dict[int, Extract]:
    """Read what matters of the backup, then what that touches of the target; both by number."""
    target, backup = sorted(opened, key=lambda one: one.database.number)
    offered = read_tables(run, backup, narrowing.unlike)
    held = read_tables(run, target, touched(narrowing, target, offered, backup))
    return {TARGET: held, backup.database.number: offered}


def _tried(run: Run, evidence: DatabaseEvidence, action: Callable[[], T]) -> tuple[T | None, str]:
    """Return what reading a database gives, or why it gives nothing where that may be."""
    try:
        return action(), ""
    except BackupError as error:
        if evidence.database.number == TARGET or not run.request.skip_unreadable:
            raise
        return None, error.wrong
