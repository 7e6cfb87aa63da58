"""Stores that did not finish, in databases that real servers and builders of ours wrote."""

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from neotoma_core.unfinished import finding as unfinished
from tests.conftest import FIXTURES
from tests.support.databases import Row, entity, make_database, observation
from tests.support.payloads import AT, Tables, note, send, together
from tests.support.rebuilding import check
from tests.support.unfinished import NOTHING, A, B, before_now, find_in, names_in, never, partly


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server was killed in the middle of two stores. Never written to."""
    folder = tmp_path_factory.mktemp("crashed")
    packed = FIXTURES / "crashed_store" / "input.tar.zst"
    with (
        packed.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as bundle,
    ):
        bundle.extractall(folder, filter="data")
    return folder / "data" / "neotoma.prod.db"


def test_what_a_killed_server_left_is_named_and_what_looks_alike_is_not(crashed: Path) -> None:
    expected = json.loads((FIXTURES / "crashed_store" / "expected.json").read_text())
    report = check(crashed)
    ids = {finding.subject for finding in report.findings}
    assert set(expected["must"]) <= ids
    assert ids.isdisjoint(expected["must_not"])
    stores = find_in(crashed)
    assert {s.source: [s.stored, s.items] for s in stores.partly_stored} == expected["partly"]
    assert (len(stores.never_stored), len(stores.hollow)) == (5, 92)
    allowed = {*expected["must"], *expected["either"]}
    assert {s.source for s in stores.never_stored} | set(stores.hollow) <= allowed
    assert stores.unchecked == {}


@pytest.mark.parametrize(
    ("database", "payloads"),
    [
        ("data/neotoma.prod.db", 84),
        ("data/neotoma.db", 40),
        ("backups/neotoma.prod.db.db", 6110),
        ("backups/neotoma.prod 2.db", 2507),
        ("backups/early-march/neotoma.prod.db", 4087),
    ],
)
def test_the_incident_shows_no_unfinished_store(
    unpacked: Path, tmp_path: Path, database: str, payloads: int
) -> None:
    place = unpacked / database
    for folder in ("sources", "sources_prod"):
        files = next((p / folder for p in place.parents if (p / folder).is_dir()), None)
        if files is not None:
            (tmp_path / folder).symlink_to(files)
    for file in place.parent.glob(f"{place.name}*"):
        if file.name in (place.name, f"{place.name}-wal"):
            shutil.copy(file, tmp_path)
    stores = find_in(tmp_path / place.name)
    assert (stores.payloads, names_in(stores)) == (payloads, NOTHING)
    assert set(stores.unchecked) <= {"no-file"}


@pytest.mark.parametrize("case", ["conformance_a", "conformance_b"])
def test_the_conformance_inputs_show_no_unfinished_store(case: str, tmp_path: Path) -> None:
    target = tmp_path / "neotoma.db"
    with (FIXTURES / case / "input.db.zst").open("rb") as packed, target.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(packed, plain)
    assert names_in(find_in(target)) == NOTHING


@pytest.mark.parametrize("indented", [False, True])
@pytest.mark.parametrize("method", ["api_store", "mcp_store"])
def test_each_planted_crash_is_named(
    place: Path, raw: Path, method: str, *, indented: bool
) -> None:
    more: dict[str, Any] = {
        "indented": indented,
        "provenance": f'{{"upload_method":"{method}"}}',
    }
    tables = together(
        send(raw, "whole", [A, B], **more),
        send(raw, "never", [note("c"), note("d")], stored=[], **more),
        send(raw, "partly", [note("e"), note("f"), note("g")], stored=[0, 2], **more),
        {"entities": [entity("hollow", created_at=AT)]},
    )
    stores = find_in(make_database(place, tables))
    assert names_in(stores) == {
        "never": {"never"},
        "partly": {"partly": (2, 3)},
        "hollow": {"hollow"},
    }
    (lost,) = stores.never_stored
    assert Path(lost.file).is_file()
    assert (stores.payloads, stores.unchecked) == (3, {})


@pytest.mark.parametrize(
    "method", ['"api_store_unstructured"', '"mcp_store_reference"', "null", '["api_store"]']
)
def test_files_references_and_edges_are_no_payloads(place: Path, raw: Path, method: str) -> None:
    provenance = f'{{"upload_method":{method}}}'
    tables = send(raw, "file", [A], stored=[], provenance=provenance)
    assert names_in(find_in(make_database(place, tables))) == NOTHING


@pytest.mark.parametrize("provenance", [None, "", "{bad", "7", b'{"upload_method":"api_store"}', 1])
def test_a_source_whose_provenance_says_nothing_is_no_payload(
    place: Path, raw: Path, provenance: object
) -> None:
    tables = send(raw, "odd", [A], stored=[], provenance=provenance)
    assert find_in(make_database(place, tables)).payloads == 0


def test_two_items_may_be_one_observation(place: Path, raw: Path) -> None:
    tables = send(raw, "twice", [A, A, note("a", odd=1)], stored=[0])
    assert names_in(find_in(make_database(place, tables))) == NOTHING


def test_a_payload_that_was_sent_again_and_completed_is_whole(place: Path, raw: Path) -> None:
    first = send(raw, "again", [A, B], stored=[0])
    rest = send(raw, "again", [A, B], stored=[1])
    assert names_in(find_in(make_database(place, first))) == partly(again=(1, 2))
    place.unlink()
    tables = {**together(first, rest), "sources": first["sources"]}
    assert names_in(find_in(make_database(place, tables))) == NOTHING


def test_one_users_payload_is_not_stored_by_anothers(place: Path, raw: Path) -> None:
    tables = together(
        send(raw, "one", [A], user_id="one"), send(raw, "two", [A], user_id="two", stored=[])
    )
    assert names_in(find_in(make_database(place, tables))) == never("two")


INTERPRETED = {"source_id": "file", "interpretation_id": "i", "fields": '{"title":"a"}'}


@pytest.mark.parametrize(
    ("cells", "is_stored"),
    [
        ({}, True),
        ({"created_at": "2026-02-01T10:01:59.999Z"}, True),
        ({"created_at": "2026-02-01T10:02:00.000Z"}, False),
        ({"created_at": "2026-02-01T09:59:59.999Z"}, False),
        ({"created_at": None}, False),
        ({"user_id": "another"}, False),
        ({"interpretation_id": None}, False),
        ({"fields": '{"title":"b"}'}, False),
    ],
)
def test_a_store_with_an_interpretation_hangs_on_another_source(
    place: Path, raw: Path, cells: Row, *, is_stored: bool
) -> None:
    told = observation("o", "e1", **{**INTERPRETED, "created_at": AT, **cells})
    tables = together(
        send(raw, "sent", [A], stored=[]), {"observations": [told], "entities": [entity("e1")]}
    )
    expected = NOTHING if is_stored else never("sent")
    assert names_in(find_in(make_database(place, tables))) == expected


def test_an_interpretation_stores_what_its_own_user_sent(place: Path, raw: Path) -> None:
    told = observation("o", "e1", **{**INTERPRETED, "created_at": AT, "user_id": "one"})
    tables = together(
        send(raw, "of-one", [A], stored=[], user_id="one"),
        send(raw, "of-two", [A], stored=[], user_id="two"),
        {"observations": [told], "entities": [entity("e1")]},
    )
    assert names_in(find_in(make_database(place, tables))) == never("of-two")


def test_a_payloads_own_observation_may_lie_behind_many_of_other_interpretations(
    place: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [
        observation(
            f"o{n}", "e1", **{**INTERPRETED, "created_at": AT, "fields": f'{{"title":"{n}"}}'}
        )
        for n in range(200)
    ]
    told = observation("last", "e1", **{**INTERPRETED, "created_at": AT})
    tables = together(
        send(raw, "sent", [A], stored=[]),
        {"observations": [*others, told], "entities": [entity("e1")]},
    )
    assert names_in(find_in(make_database(place, tables))) == NOTHING
    monkeypatch.setattr(unfinished, "_MANY", 200)
    assert find_in(place).unchecked == {"too-many": 1}


def test_merged_and_split_entities_are_not_hollow(place: Path) -> None:
    tables: Tables = {
        "entities": [
            entity("kept"),
            entity("pointing", merged_to_entity_id="kept"),
            entity("merged"),
            entity("split"),
            entity("hollow", merged_to_entity_id=""),
        ],
        "observations": [observation("o", "kept")],
        "entity_merges": [{"id": "m", "from_entity_id": "merged", "to_entity_id": "kept"}],
        "entity_splits": [{"id": "s", "source_entity_id": "kept", "new_entity_id": "split"}],
    }
    stores = find_in(make_database(place, tables))
    assert names_in(stores) == {"never": set(), "partly": {}, "hollow": {"hollow"}}


def test_a_store_that_may_still_run_is_not_named_nor_are_its_entities(
    place: Path, raw: Path
) -> None:
    running = send(raw, "running", [note("r"), note("s")], stored=[0], created_at=before_now(300))
    running["observations"] = [
        {**row, "created_at": before_now(10)} for row in running["observations"]
    ]
    tables = together(
        running,
        send(raw, "begun", [note("t")], stored=[], created_at=before_now(50)),
        send(raw, "old", [A], stored=[], created_at=before_now(400)),
        {"entities": [entity("next", created_at=before_now(299))]},
        {"entities": [entity("hollow", created_at=before_now(301))]},
    )
    stores = find_in(make_database(place, tables))
    assert names_in(stores) == {"never": {"old"}, "partly": {}, "hollow": {"hollow"}}
    assert stores.unchecked == {"recent": 3}
