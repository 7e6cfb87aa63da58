"""Rot that SQLite does not see: an id is the hash of one version of a row, and of no other."""

import sqlite3
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest

from neotoma_core.comparison.holdings import Coder, read_holdings
from neotoma_core.merge.policy import MergeMode
from neotoma_core.recovery.report import RecoveryReport
from tests.conftest import Recover
from tests.support.databases import Row, entity, make_database, read_all
from tests.support.merging_entities import merge_entities
from tests.support.proven import observe, owner, store

ROWS = 12
MODES: tuple[MergeMode, ...] = ("keep-target", "keep-source", "safe")


def copy(path: Path, *altered: int, last: int = ROWS, sign: str = "!") -> Path:
    """Make a database of true observations, some ``altered`` as a flipped bit would."""
    rows = [rotten(n, sign) if n in altered else observe(n) for n in range(last)]
    return make_database(path, {"entities": [owner()], "observations": rows})


def rotten(number: int, sign: str = "!") -> Row:
    row = observe(number)
    return {**row, "fields": str(row["fields"]).replace("note", "not" + sign)}


def observations(path: Path) -> dict[object, object]:
    """Return id and fields of every observation."""
    rows = read_all(path)["observations"]
    column = list(observe(0)).index
    assert column("id") == 0
    return {row[0]: next(c for c in row if str(c).startswith("b'{")) for row in rows}


TRUE = {str(observe(n)["id"]).encode(): str(observe(n)["fields"]).encode() for n in range(ROWS)}


def details_of(report: RecoveryReport, kind: str) -> dict[str, str]:
    return {f.subject: f.detail.partition(" ")[0] for f in report.findings if f.kind == kind}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", list(permutations(("good", "bad", "worse"))), ids=" ".join)
def test_the_version_that_its_id_proves_wins_in_every_order_and_mode(
    mode: MergeMode, order: tuple[str, ...], tmp_path: Path, run_recover: Recover
) -> None:
    places = {
        "good": copy(tmp_path / "good.db"),
        "bad": copy(tmp_path / "bad.db", 1, 2, sign="?"),
        "worse": copy(tmp_path / "worse.db", 2, 3, 4),
    }
    target = copy(tmp_path / "target.db", 5, 6, last=8)
    report = run_recover(target, *(places[name] for name in order), mode=mode)
    assert report.outcome == "published"
    assert observations(target) == TRUE
    altered = details_of(report, "altered")
    assert altered["target: observations"] == "2"
    assert set(altered) >= {f"backup-{1 + order.index(name)}: observations" for name in ("worse",)}
    assert details_of(report, "unproven") == {}


def test_a_row_that_nobody_has_otherwise_is_merged_counted_and_named(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db")
    report = run_recover(target, copy(tmp_path / "bad.db", 3))
    assert report.after.observations == ROWS
    assert details_of(report, "unproven") == {"backup-1: observations": "1"}
    assert details_of(report, "altered") == {}


@pytest.mark.parametrize("audited", [True, False])
def test_a_row_that_a_merge_of_entities_gave_to_another_is_still_looked_at(
    audited: bool,  # noqa: FBT001 - a case of the test
    tmp_path: Path,
    run_recover: Recover,
) -> None:
    old, user, survivor = str(owner()["id"]), str(owner()["user_id"]), "ent_survivor"
    target = make_database(tmp_path / "target.db", {"entities": [owner(), entity(survivor)]})
    merge_entities(target, old, survivor, "m", at="2026-03-01T00:00:00.000Z", user=user)
    if not audited:
        with closing(sqlite3.connect(target)) as connection, connection:
            connection.execute("DELETE FROM entity_merges")
    report = run_recover(target, copy(tmp_path / "bad.db", 3))
    assert report.after.observations == ROWS
    rows = read_all(target)["observations"]
    assert sum(repr(survivor.encode()) in map(str, row) for row in rows) == ROWS
    assert details_of(report, "unproven") == {"backup-1: observations": "1"}


def test_rows_that_are_all_true_or_whose_ids_are_no_hashes_say_nothing(
    tmp_path: Path, run_recover: Recover
) -> None:
    plain = make_database(
        tmp_path / "plain.db",
        {"observations": [{**observe(n), "id": f"o{n}"} for n in range(ROWS)]},
    )
    for place in (copy(tmp_path / "good.db"), plain):
        report = run_recover(make_database(tmp_path / f"into {place.name}"), place)
        assert report.after.observations == ROWS
        assert details_of(report, "unproven") == details_of(report, "altered") == {}


def test_a_difference_that_no_id_covers_is_left_to_the_mode(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"observations": [observe(1)]})
    other = {"observations": [observe(1, source_priority=7)]}
    report = run_recover(target, make_database(tmp_path / "other.db", other))
    assert [c["by"] for c in report.conflicts.first] == ["mode"]
    assert details_of(report, "altered") == {}


@pytest.mark.parametrize("rotten_first", [True, False])
def test_a_source_whose_hash_is_altered_gives_way(
    rotten_first: bool,  # noqa: FBT001 - a case of the test
    tmp_path: Path,
    run_recover: Recover,
) -> None:
    bad = {**store(1), "content_hash": "0" * 64}
    rows = (bad, store(1)) if rotten_first else (store(1), bad)
    target, other = (
        make_database(tmp_path / f"{name}.db", {"sources": [row]})
        for name, row in zip(("target", "other"), rows, strict=True)
    )
    run_recover(target, other)
    (row,) = read_all(target)["sources"]
    assert str(store(1)["content_hash"]).encode() in row


def test_copies_that_are_sound_to_sqlite_are_listed_with_their_unproven_rows(
    tmp_path: Path,
) -> None:
    copy(tmp_path / "good.db")
    copy(tmp_path / "bad.db", 3)
    coder = Coder()
    unproven = {
        name: read_holdings(tmp_path / name, tmp_path / name, coder).unproven
        for name in ("good.db", "bad.db")
    }
    assert unproven == {"good.db": 0, "bad.db": 1}
