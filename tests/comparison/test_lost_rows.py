"""Rows that one copy has and another lacks are recognised by their ids."""

from pathlib import Path

import pytest

from neotoma_core.comparison.lost_rows import count_lost
from neotoma_core.errors import BackupDamaged
from tests.support.databases import make_database, observation


def make(path: Path, *ids: str | None) -> Path:
    rows = [observation("x", id=identifier) for identifier in ids]
    return make_database(path, {"observations": rows})


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (("a", "b", "c"), ("a", "b", "c"), 0),
        (("a", "b", "c"), ("c", "d", "e"), 2),
        (("a", "b"), (), 2),
        ((), ("a",), 0),
        (("a", None, None, None), ("a", None), 2),
        (("a", None), ("b", None, None), 1),
    ],
)
def test_lost_is_what_the_other_has_not_by_id(
    before: tuple[str | None, ...], after: tuple[str | None, ...], lost: int, tmp_path: Path
) -> None:
    first, second = make(tmp_path / "1.db", *before), make(tmp_path / "2.db", *after)
    files = first.read_bytes(), second.read_bytes()
    assert count_lost(first, second, "observations", first) == lost
    assert (first.read_bytes(), second.read_bytes()) == files
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"fields": "{}"}, 1),
        ({"source_priority": 1000}, 1),
        ({"observed_at": "2026-05-01T00:00:00.000Z", "created_at": None}, 0),
        ({"entity_id": "e9", "source_id": "s9"}, 0),
    ],
)
def test_a_row_that_says_something_else_is_lost_and_one_sent_again_or_moved_is_not(
    changed: dict[str, object], lost: int, tmp_path: Path
) -> None:
    first = make_database(tmp_path / "1.db", {"observations": [observation("a")]})
    rows = [{**observation("a"), **changed}]
    second = make_database(tmp_path / "2.db", {"observations": rows})
    assert count_lost(first, second, "observations", first) == lost


def test_a_copy_that_cannot_be_read_is_a_damaged_one(tmp_path: Path) -> None:
    first, second = make(tmp_path / "1.db", "a"), tmp_path / "2.db"
    second.write_bytes(b"noise" * 1000)
    with pytest.raises(BackupDamaged, match=r"1\.db"):
        count_lost(first, second, "observations", first)
