"""Rows that leave are counted, and what was rewritten in them leaves with them."""

import polars as pl

from neotoma_core.lineage.credentials import without_orphans
from neotoma_core.lineage.offers import REWRITTEN, Offered
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import Column, Table

CELLS = pl.DataFrame([(n, "b", "new") for n in range(4)], schema=REWRITTEN, orient="row")
ROWS = pl.DataFrame({ROWID: [0, 1, 2, 3], "id": ["w", "x", "y", "z"], "b": ["new"] * 4})
OFFERED = Offered(ROWS, frozenset({"id", "b"}), rewritten=CELLS)
TWO = ROWS.filter(pl.col(ROWID) < 2).select(ROWID)


def in_step(offered: Offered) -> bool:
    """Return whether just the rows that are there have cells that are not as stored."""
    return offered.rewritten[ROWID].to_list() == offered.rows[ROWID].to_list() == [2, 3]


def test_rows_that_are_skipped_take_their_rewritten_cells_with_them() -> None:
    less = OFFERED.without(TWO, "gone").without(TWO, "gone")
    assert (less.read, less.skipped, in_step(less)) == (4, {"gone": 2}, True)


def test_rows_that_are_set_aside_take_their_rewritten_cells_with_them() -> None:
    less = OFFERED.quarantining(TWO)
    assert (less.read, less.quarantined, in_step(less)) == (4, 2, True)


def test_orphans_take_their_rewritten_cells_with_them() -> None:
    child = Table(
        "child", "log", (Column("id", "TEXT"), Column("b", "TEXT")), cascades=(("b", "up", "id"),)
    )
    owners = Offered(pl.DataFrame({ROWID: [0], "id": ["there"]}), frozenset({"id"}))
    named = ROWS.with_columns(b=pl.Series(["nowhere", "nowhere", "there", "there"]))
    held = {"up": owners, "child": Offered(ROWS.clear(), frozenset())}
    offer = {"up": owners, "child": Offered(named, frozenset({"id", "b"}), rewritten=CELLS)}
    (found,) = without_orphans(held, [offer], [child])
    assert (found["child"].quarantined, in_step(found["child"])) == (2, True)
