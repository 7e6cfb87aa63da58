"""What a vault knows to be erased, in a recovery: left out of backups, named in the target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.erased.files import find_erased_files
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import SOURCES, TablesInMemory, name_rows, read_all
from neotoma_core.erased.narrowing import reach_in
from neotoma_core.erasure.quarantine import forget_quarantined
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.ledger.log import finding_of_erased
from neotoma_core.lineage.lineage import Database
from neotoma_core.lineage.offers import Offered
from neotoma_core.neotoma.environments import STORED_FILE
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.report.findings import Finding
from neotoma_core.runs.raw_files import RawListing
from neotoma_core.runs.run import Run

ERASED: Final = "erased"
_URL: Final = "storage_url"


@dataclass(frozen=True, slots=True)
class Erasures:
    """What a vault knows to be erased, and what the target holds of it all the same.

    ``in_target``: table → rows; ``raw_files``: names of files that only left-out sources refer to.
    """

    erased: ErasedIds
    in_target: Mapping[str, int]
    raw_files: frozenset[str]

    def list_files(self, listing: RawListing, sources: pl.DataFrame) -> RawListing:
        """Return the files of a listing, less those of erased sources that backups offer.

        ``sources``: the merged ones. What one of them refers to is brought over all the same.
        """
        if not self.erased:
            return listing
        staying = set(sources[_URL].drop_nulls())
        names = find_erased_files(self.erased, listing.files["name"].unique(), staying)
        gone = names | (self.raw_files - staying)
        here = pl.col("folder") == pl.col("belongs_in")
        stays = here | ~pl.col("name").is_in(sorted(gone))
        return RawListing(listing.files.filter(stays)) if gone else listing

    def findings(self) -> Iterator[Finding]:
        """Yield the tables of the target that hold erased rows."""
        for table, rows in self.in_target.items():
            yield finding_of_erased(table, rows)


def find_erased_for(run: Run) -> ErasedIds:
    """Return what the run's vault knows to be erased, and the vaults its backups are in."""
    return read_erased_around(run.folders.vault, *(backup.found_at for backup in run.others))


def leave_out_erased(
    run: Run, target: Database, offers: Sequence[Database]
) -> tuple[list[Database], Erasures]:
    """Return what backups offer without what is erased, and what there is of that.

    What goes from a backup is what an erasure would reach in it, given the ids in it that the
    ledger knows. Erased rows in the run's quarantine are not kept. Raises VaultDamaged.
    """
    erased = find_erased_for(run)
    if not erased:
        return list(offers), Erasures(erased, {}, frozenset())
    forget_quarantined(run.folders.quarantine, erased)
    raw_files: set[str] = set()
    kept: list[Database] = []
    for offer in offers:
        going = _going(offer, erased)
        raw_files |= _files_of(offer, going)
        kept.append({name: _without(offered, going.get(name)) for name, offered in offer.items()})
    in_target = {table: len(rows) for table, rows in _going(target, erased).items()}
    return kept, Erasures(erased, in_target, frozenset(raw_files))


def _going(database: Database, erased: ErasedIds) -> Mapping[str, pl.Series]:
    """Return the numbers of the rows that an erasure would reach, by table."""
    named = {name: name_rows(name, offered.rows) for name, offered in database.items()}
    tables = TablesInMemory(named)
    return reach_in(tables, erased.find_in(read_all(tables))).rows


def _without(offered: Offered, going: pl.Series | None) -> Offered:
    if going is None:
        return offered
    return offered.without(going.alias(ROWID).to_frame(), ERASED)


def _files_of(database: Database, going: Mapping[str, pl.Series]) -> set[str]:
    if SOURCES not in going:
        return set()
    rows = database[SOURCES].rows.filter(pl.col(ROWID).is_in(going[SOURCES].implode()))
    return set(rows.filter(pl.col(_URL).str.contains(STORED_FILE))[_URL])
