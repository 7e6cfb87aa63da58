"""How two copies differ: by key, with counts, and never a value."""

from pathlib import Path

import pytest

from neotoma_core.comparison import differences
from neotoma_core.comparison.differences import TableDifference, find_differences
from tests.support.databases import entity, make_database, observation


def test_rows_are_told_apart_by_their_keys_and_then_by_every_cell(tmp_path: Path) -> None:
    held = make_database(
        tmp_path / "held.db",
        {"entities": [entity("e1")], "observations": [observation(i) for i in ("a", "b", "c")]},
    )
    changed = observation("b", observed_at="2026-03-01T00:00:00.000Z", fields="secret")
    offered = make_database(
        tmp_path / "offered.db",
        {"entities": [entity("e1")], "observations": [observation("a"), changed, observation("d")]},
    )
    before = held.read_bytes(), offered.read_bytes()
    found = find_differences(held, offered, held)
    assert found == (TableDifference("observations", 1, 1, 1, ("d",), ("c",), ("b",)),)
    assert "secret" not in str(found)
    assert (held.read_bytes(), offered.read_bytes()) == before


def test_where_there_was_nothing_everything_comes_and_the_reverse(tmp_path: Path) -> None:
    path = make_database(tmp_path / "a.db", {"observations": [observation("a"), observation("b")]})
    assert find_differences(None, path, path) == (
        TableDifference("observations", 2, 0, 0, ("a", "b")),
    )
    assert find_differences(path, None, path) == (
        TableDifference("observations", 0, 2, 0, (), ("a", "b")),
    )
    assert find_differences(path, path, path) == ()


def test_of_very_many_rows_only_the_first_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differences, "MOST_IDS", 2)
    rows = {"observations": [observation(i) for i in ("c", "a", "b")]}
    path = make_database(tmp_path / "a.db", rows)
    assert find_differences(None, path, path) == (
        TableDifference("observations", 3, 0, 0, ("a", "b")),
    )


def test_of_secrets_only_their_number_is_told(tmp_path: Path) -> None:
    path = make_database(
        tmp_path / "a.db", {"auth_users": [{"id": "who", "email": "x@example.org"}]}
    )
    (found,) = find_differences(None, path, path)
    assert (found.table, found.inserted, found.inserted_ids) == ("auth_users", 1, ())
