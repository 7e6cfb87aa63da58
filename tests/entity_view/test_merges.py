"""Merges and splits, listed, with what an unmerge would say of each."""

from pathlib import Path

import pytest

from neotoma_core.entity_view.merges import list_merges
from neotoma_core.entity_view.merges_report import merges_text
from neotoma_core.errors import UsageError
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts, reading_run
from neotoma_core.unmerge.unmerge import UnmergeRequest, unmerge
from tests.conftest import NOW
from tests.support.archiving import archive
from tests.support.databases import USER, entity, insert_all, make_database, observation
from tests.support.merging_entities import merge_entities
from tests.support.viewing import view

AT = "2026-03-0{}T00:00:00.000Z"


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """Four entities, archived; then one merged away, an unarchived row with it, and two more."""
    path = make_database(
        tmp_path / "neotoma.db",
        {
            "entities": [entity(f"e{number}") for number in range(6)],
            "observations": [observation(f"o{number}", f"e{number}") for number in range(4)],
        },
    )
    archive(path)
    merge_entities(path, "e0", "e1", "whole", at=AT.format(1), user=USER)
    insert_all(path, {"observations": [observation("late", "e2")]})
    merge_entities(path, "e2", "e3", "part", at=AT.format(2), user=USER)
    insert_all(path, {"observations": [observation("unseen", "e4")]})
    merge_entities(path, "e4", "e5", "unseen", at=AT.format(3), user=USER)
    merge_entities(path, "e5", "e1", "on", at=AT.format(4), user=USER)
    split = {
        "id": "s",
        "source_entity_id": "e1",
        "new_entity_id": "e9",
        "created_at": AT.format(5),
        "user_id": USER,
        "idempotency_key": "k",
    }
    insert_all(path, {"entity_splits": [split]})
    return path


def test_each_merge_is_listed_with_whether_an_unmerge_takes_it(
    merged: Path, tmp_path: Path
) -> None:
    place = merged.parent / "archive"
    report = list_merges(view(merged, tmp_path), place)
    assert [(m.kind, m.id, m.undo, m.missing) for m in report.merges] == [
        ("merge", "whole", "yes", 0),
        ("merge", "part", "incomplete", 1),
        ("merge", "unseen", "no", 0),
        ("merge", "on", "no", 1),
        ("split", "s", "no", 0),
    ]
    assert "undo that merge first" in (report.merges[2].why or "")
    text = merges_text(report, 4)
    assert "and 1 earlier ones" in text
    assert "--merge-id part" in text
    assert "--incomplete" in text


def test_an_unmerge_says_what_the_list_says(merged: Path, tmp_path: Path) -> None:
    place = merged.parent / "archive"
    takes: dict[str, int | None] = {}
    for one in list_merges(view(merged, tmp_path), place).merges:
        where = Whereabouts(merged, tmp_path / "vault")
        request = UnmergeRequest(one.id, place, incomplete=one.undo == "incomplete")
        with reading_run(where, NOW) as run:
            try:
                takes[one.id] = unmerge(run, request, lambda _: False, Silent()).missing
            except UsageError:
                takes[one.id] = None
    assert takes == {"whole": 0, "part": 1, "unseen": None, "on": None, "s": None}


def test_without_an_archive_none_can_be_undone(merged: Path, tmp_path: Path) -> None:
    report = list_merges(view(merged, tmp_path), tmp_path / "none")
    assert {m.undo for m in report.merges} == {"no"}
    assert report.next is None
    assert "no archive saw its rows" in " ".join(merges_text(report, 50).split())
