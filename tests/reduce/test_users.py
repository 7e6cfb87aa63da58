"""Whose snapshot it is where users share an id: one rule, read row by row and for many at once."""

from dataclasses import astuple, dataclass

import polars as pl
import pytest

from neotoma_core.neotoma.frames import ROWID
from neotoma_core.reduce.exact.users import NOBODY, Owner, by_user
from neotoma_core.reduce.users import choose_groups

OLD, NEW = "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"


@dataclass(frozen=True)
class Observed:
    """What of a row counts here."""

    user_id: str | None
    observed_at: str | None = OLD
    created_at: str | None = OLD
    rowid: int = 1


ANN, BOB, NONE = (Observed(user) for user in ("ann", "bob", None))
CASES: dict[str, tuple[list[Observed], Owner, list[str | None]]] = {
    "the newest observed": (
        [Observed("ann", OLD, NEW, 2), Observed("bob", NEW, OLD, 1)], NOBODY, ["bob", "ann"],
    ),
    "then the newest created": (
        [Observed("ann", OLD, OLD, 2), Observed("bob", OLD, NEW, 1)], NOBODY, ["bob", "ann"],
    ),
    "then the last row": (
        [Observed("ann", rowid=1), Observed("bob", rowid=2)], NOBODY, ["bob", "ann"],
    ),
    "of each its newest": (
        [Observed("ann", OLD), Observed("bob", NEW), Observed("bob", "2026-01-01")],
        NOBODY, ["bob", "ann"],
    ),
    "no time comes before any": (
        [Observed("ann", None, NEW, 2), Observed("bob", "", None, 1)], NOBODY, ["bob", "ann"],
    ),
    "nor one of creation": (
        [Observed("ann", OLD, None, 2), Observed("bob", OLD, "", 1)], NOBODY, ["bob", "ann"],
    ),
    "a real user before none": ([Observed(None, NEW), ANN], NOBODY, ["ann", None]),
    "whose it is before all": ([Observed("ann", NEW), NONE, BOB], ("bob",), ["bob", "ann", None]),
    "also where it is nobody's": ([Observed("ann", NEW), NONE], (None,), [None, "ann"]),
    "not one who has no row": ([Observed("ann", NEW), BOB], ("zoe",), ["ann", "bob"]),
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("rows", "owner", "users"), CASES.values(), ids=CASES)
def test_users_have_a_claim_in_this_order(
    rows: list[Observed], owner: Owner, users: list[str | None], *, turned: bool
) -> None:
    found = by_user(rows[::-1] if turned else rows, owner)
    assert [group[0].user_id for group in found] == users


@pytest.mark.parametrize(("rows", "owner", "users"), CASES.values(), ids=CASES)
def test_the_first_of_them_has_the_snapshot(
    rows: list[Observed], owner: Owner, users: list[str | None]
) -> None:
    known = list(dict.fromkeys(row.user_id for row in rows))
    names = ["user_id", "observed_at", "created_at", ROWID]
    frame = pl.DataFrame([astuple(row) for row in rows], schema=names, orient="row")
    ordered = frame.with_columns(
        pl.Series("group", [known.index(row.user_id) for row in rows]),
        pl.lit(0).alias("subject"),
        pl.lit("e").alias("entity_id"),
    ).sort("group", maintain_order=True)
    owners = pl.DataFrame(
        [("e", user) for user in owner or ()],
        schema={"entity_id": pl.String, "user_id": pl.String},
        orient="row",
    )
    groups = ordered["group"].unique()
    chosen, lost = choose_groups(ordered, "entity_id", groups, groups.clear(), owners)
    assert [known[group] for group in chosen] == users[:1]
    assert lost.is_empty()
