"""Stores that did not finish, in databases that real servers and builders of ours wrote."""

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.files.keys import KeyFile, KeySource
from neotoma_core.find import status as find
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.rebuild import rebuild as rebuild_operation
from neotoma_core.report.progress import Silent
from neotoma_core.report.unfinished import UnfinishedStores
from neotoma_core.unfinished import finding as unfinished
from neotoma_core.unfinished import payload_files, payload_rows
from tests.conftest import FIXTURES, NOW, Recover
from tests.neotoma.test_encryption import KEY, SECRET
from tests.recovery.test_encrypted import key_file
from tests.support.backing_up import Vault
from tests.support.databases import Row, entity, insert, make_database, observation
from tests.support.payloads import AT, Tables, note, sent, together
from tests.support.rebuilding import check, rebuild
from tests.support.versions import VERSIONS, Version, make_version

A, B = note("a"), note("b")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a production database is, and its raw folder."""
    return tmp_path / "data" / "neotoma.prod.db"


@pytest.fixture
def raw(place: Path) -> Path:
    return place.parent / "sources_prod"


def found_in(target: Path, **options: object) -> UnfinishedStores:
    """Return what both commands find, which is the same."""
    report = check(target, **options)
    assert report.unfinished is not None
    assert status_of(target) == report.unfinished
    return report.unfinished


def status_of(target: Path, key: KeySource | None = None) -> UnfinishedStores | None:
    where = SearchRequest((target,), key=key)
    return check_status(target, where, target.parent / "vault", NOW, Silent()).unfinished


def named(stores: UnfinishedStores) -> dict[str, object]:
    """Return what is named, without files."""
    return {
        "never": {store.source for store in stores.never_stored},
        "partly": {s.source: (s.stored, s.items) for s in stores.partly_stored},
        "hollow": set(stores.hollow),
    }


def never(*sources: str) -> dict[str, object]:
    return {"never": set(sources), "partly": {}, "hollow": set()}


def partly(**stores: tuple[int, int]) -> dict[str, object]:
    return {"never": set(), "partly": stores, "hollow": set()}


NOTHING = never()


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
    stores = found_in(crashed)
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
    stores = found_in(tmp_path / place.name)
    assert (stores.payloads, named(stores)) == (payloads, NOTHING)
    assert set(stores.unchecked) <= {"no-file"}


@pytest.mark.parametrize("case", ["conformance_a", "conformance_b"])
def test_the_conformance_inputs_show_no_unfinished_store(case: str, tmp_path: Path) -> None:
    target = tmp_path / "neotoma.db"
    with (FIXTURES / case / "input.db.zst").open("rb") as packed, target.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(packed, plain)
    assert named(found_in(target)) == NOTHING


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
        sent(raw, "whole", [A, B], **more),
        sent(raw, "never", [note("c"), note("d")], stored=[], **more),
        sent(raw, "partly", [note("e"), note("f"), note("g")], stored=[0, 2], **more),
        {"entities": [entity("hollow", created_at=AT)]},
    )
    stores = found_in(make_database(place, tables))
    assert named(stores) == {
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
    tables = sent(raw, "file", [A], stored=[], provenance=provenance)
    assert named(found_in(make_database(place, tables))) == NOTHING


@pytest.mark.parametrize("provenance", [None, "", "{bad", "7", b'{"upload_method":"api_store"}', 1])
def test_a_source_whose_provenance_says_nothing_is_no_payload(
    place: Path, raw: Path, provenance: object
) -> None:
    tables = sent(raw, "odd", [A], stored=[], provenance=provenance)
    assert found_in(make_database(place, tables)).payloads == 0


def test_two_items_may_be_one_observation(place: Path, raw: Path) -> None:
    tables = sent(raw, "twice", [A, A, note("a", odd=1)], stored=[0])
    assert named(found_in(make_database(place, tables))) == NOTHING


def test_a_payload_that_was_sent_again_and_completed_is_whole(place: Path, raw: Path) -> None:
    first = sent(raw, "again", [A, B], stored=[0])
    rest = sent(raw, "again", [A, B], stored=[1])
    assert named(found_in(make_database(place, first))) == partly(again=(1, 2))
    place.unlink()
    tables = {**together(first, rest), "sources": first["sources"]}
    assert named(found_in(make_database(place, tables))) == NOTHING


def test_one_users_payload_is_not_stored_by_anothers(place: Path, raw: Path) -> None:
    tables = together(
        sent(raw, "one", [A], user_id="one"), sent(raw, "two", [A], user_id="two", stored=[])
    )
    assert named(found_in(make_database(place, tables))) == never("two")


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
        sent(raw, "sent", [A], stored=[]), {"observations": [told], "entities": [entity("e1")]}
    )
    expected = NOTHING if is_stored else never("sent")
    assert named(found_in(make_database(place, tables))) == expected


def test_an_interpretation_stores_what_its_own_user_sent(place: Path, raw: Path) -> None:
    told = observation("o", "e1", **{**INTERPRETED, "created_at": AT, "user_id": "one"})
    tables = together(
        sent(raw, "of-one", [A], stored=[], user_id="one"),
        sent(raw, "of-two", [A], stored=[], user_id="two"),
        {"observations": [told], "entities": [entity("e1")]},
    )
    assert named(found_in(make_database(place, tables))) == never("of-two")


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
        sent(raw, "sent", [A], stored=[]),
        {"observations": [*others, told], "entities": [entity("e1")]},
    )
    assert named(found_in(make_database(place, tables))) == NOTHING
    monkeypatch.setattr(unfinished, "_MANY", 200)
    assert found_in(place).unchecked == {"too-many": 1}


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
    stores = found_in(make_database(place, tables))
    assert named(stores) == {"never": set(), "partly": {}, "hollow": {"hollow"}}


@pytest.mark.parametrize("stored", [[], [0]])
def test_a_payload_without_its_file_is_passed_over_in_silence(
    place: Path, raw: Path, stored: list[int]
) -> None:
    tables = sent(raw, "lost", [A, B], stored=stored)
    shutil.rmtree(raw)
    report = check(make_database(place, tables))
    assert report.unfinished is not None
    assert (named(report.unfinished), report.unfinished.unchecked) == (NOTHING, {"no-file": 1})
    assert [f.kind for f in report.findings] == ["no-schema"] * len(stored)


@pytest.mark.parametrize(
    "content",
    [b"", b"not json", b"[1,2]", b'"text"', b"null", b'[{"title":"\xff"}]', b"[" * 5000],
)
def test_a_file_that_is_no_payload_says_nothing(place: Path, raw: Path, content: bytes) -> None:
    stores = found_in(make_database(place, sent(raw, "odd", [], content=content)))
    assert (named(stores), stores.unchecked) == (NOTHING, {"unreadable": 1})


def test_a_damaged_file_says_nothing(place: Path, raw: Path) -> None:
    tables = sent(raw, "damaged", [A, B], stored=[0])
    (file,) = raw.rglob("?" * 64)
    file.write_bytes(file.read_bytes().replace(b'"b"', b'"c"'))
    stores = found_in(make_database(place, tables))
    assert (named(stores), stores.unchecked) == (NOTHING, {"unreadable": 1})


def test_a_payload_with_text_that_is_no_utf8_elsewhere_in_the_database_is_read(
    place: Path, raw: Path
) -> None:
    target = make_database(place, sent(raw, "partly", [A, B], stored=[0]))
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("UPDATE entities SET canonical_name = CAST(x'eda080' AS TEXT)")
        connection.execute("UPDATE observations SET entity_type = CAST(x'eda080' AS TEXT)")
        connection.commit()
    assert named(found_in(target)) == partly(partly=(1, 2))


@pytest.mark.parametrize(
    "fields", ["CAST(x'7bff7d' AS TEXT)", "'no json'", "'[1]'", "NULL", "7", "x'7b7d'"]
)
def test_an_observation_that_cannot_be_read_may_be_any_item(
    place: Path, raw: Path, fields: str
) -> None:
    target = make_database(place, sent(raw, "odd", [A, B], stored=[0]))
    with closing(sqlite3.connect(target)) as connection:
        connection.execute(f"UPDATE observations SET fields = {fields}")
        connection.commit()
    stores = found_in(target)
    assert (named(stores), stores.unchecked) == (NOTHING, {"unreadable": 1})


def test_an_empty_payload_lacks_nothing(place: Path, raw: Path) -> None:
    stores = found_in(make_database(place, sent(raw, "empty", [])))
    assert (named(stores), stores.unchecked) == (NOTHING, {})


def test_halves_of_characters_and_huge_numbers_are_compared(place: Path, raw: Path) -> None:
    half = b'[{"entity_type":"note","title":"\\ud83d","n":9007199254740993},{"title":"x"}]'
    told = observation(
        "o", "e1", source_id="odd", fields='{"title":"\\ud83d","n":9007199254740992}'
    )
    tables = together(
        sent(raw, "odd", [], content=half), {"observations": [told], "entities": [entity("e1")]}
    )
    assert named(found_in(make_database(place, tables))) == partly(odd=(1, 2))


def test_a_huge_payload_is_not_read(
    place: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload_files, "MOST_BYTES", 40)
    tables = sent(raw, "huge", [A, B], stored=[0])
    stores = found_in(make_database(place, tables))
    assert (named(stores), stores.unchecked) == (NOTHING, {"too-large": 1})


def test_of_very_many_observations_of_one_payload_no_more_are_read_than_it_can_have(
    place: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = sent(raw, "huge", [A, B, note("c")], stored=[0, 1])
    target = make_database(place, tables)
    assert named(found_in(target)) == partly(huge=(2, 3))
    monkeypatch.setattr(payload_rows, "_MOST_STATED", 300)
    assert found_in(target).unchecked == {"unreadable": 1}


def test_a_payload_that_its_observations_prove_is_not_read(place: Path, raw: Path) -> None:
    tables = together(
        sent(raw, "compact", [A, B]), sent(raw, "pretty", [note("c"), note("d")], indented=True)
    )
    shutil.rmtree(raw)  # it would be counted as missing
    assert found_in(make_database(place, tables)).unchecked == {}


def test_a_status_reads_the_newest_files_and_a_check_all(
    place: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = together(*(sent(raw, f"s{n}", [note(f"{n}")], stored=[]) for n in range(3)))
    target = make_database(place, tables)
    assert named(found_in(target)) == never("s0", "s1", "s2")
    monkeypatch.setattr(find, "_MOST_PAYLOADS", 2)
    stores = status_of(target)
    assert stores is not None
    assert (named(stores), stores.unchecked) == (never("s2", "s1"), {"not-reached": 1})


def before_now(seconds: int) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", ".000Z")


def test_a_store_that_may_still_run_is_not_named_nor_are_its_entities(
    place: Path, raw: Path
) -> None:
    running = sent(raw, "running", [note("r"), note("s")], stored=[0], created_at=before_now(300))
    running["observations"] = [
        {**row, "created_at": before_now(10)} for row in running["observations"]
    ]
    tables = together(
        running,
        sent(raw, "begun", [note("t")], stored=[], created_at=before_now(50)),
        sent(raw, "old", [A], stored=[], created_at=before_now(400)),
        {"entities": [entity("next", created_at=before_now(299))]},
        {"entities": [entity("hollow", created_at=before_now(301))]},
    )
    stores = found_in(make_database(place, tables))
    assert named(stores) == {"never": {"old"}, "partly": {}, "hollow": {"hollow"}}
    assert stores.unchecked == {"recent": 3}


def sealed(rows: list[Row]) -> list[Row]:
    return [{**row, "fields": KEY.seal(str(row["fields"]))} for row in rows]


def test_encrypted_observations_are_compared_with_the_key_and_not_without(
    place: Path, raw: Path, tmp_path: Path
) -> None:
    tables = together(
        sent(raw, "whole", [A]),
        sent(raw, "never", [note("n")], stored=[]),
        sent(raw, "partly", [note("p"), note("q")], stored=[1]),
    )
    tables["observations"] = sealed(tables["observations"])
    target = make_database(place, tables)
    expected = {"never": {"never"}, "partly": {"partly": (1, 2)}, "hollow": set()}
    key = key_file(tmp_path, SECRET)
    opened = check(target, key=key).unfinished
    assert opened is not None
    assert (named(opened), opened.unchecked) == (expected, {})
    assert status_of(target, key) == opened
    for unusable in (None, key_file(tmp_path, bytes(32)), KeyFile(tmp_path / "absent.key")):
        closed = status_of(target, unusable)
        assert closed is not None
        assert (named(closed), closed.unchecked) == (never("never"), {"encrypted": 2})


def test_what_an_erasure_left_of_a_payload_is_no_crash(place: Path, raw: Path) -> None:
    erased = sent(raw, "shared", [A, B])
    later = before_now(-3 * 86_400)
    tables = together(
        erased,
        {"entities": [entity("emptied"), entity("hollow", created_at=later)]},
        sent(raw, "after", [note("c"), note("d")], stored=[0], created_at=later),
    )
    target = make_database(place, tables)
    assert named(found_in(target)) == {
        "never": set(),
        "partly": {"after": (1, 2)},
        "hollow": {"emptied", "hollow"},
    }
    request = EraseRequest(target, target.parent / "vault", entities=("shared-e0",))
    with erase_run(request, NOW + timedelta(days=1)) as run:
        assert erase(run, lambda _: True, Silent()).outcome == "erased"
    stores = found_in(target)
    assert named(stores) == {"never": set(), "partly": {"after": (1, 2)}, "hollow": {"hollow"}}
    assert stores.unchecked == {"erased": 2}


def test_an_erased_id_that_is_back_is_not_named(place: Path, raw: Path) -> None:
    tables = together(sent(raw, "kept", [A]), sent(raw, "gone", [B]))
    target = make_database(place, tables)
    request = EraseRequest(target, target.parent / "vault", entities=("gone-e0",))
    with erase_run(request, NOW) as run:
        erase(run, lambda _: True, Silent())
    later = before_now(-3 * 86_400)
    back = sent(raw, "gone", [B], stored=[], created_at=later)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        insert(connection, "sources", back["sources"][0])
        insert(connection, "entities", entity("gone-e0", created_at=later))
    stores = found_in(target)
    assert (named(stores), stores.unchecked) == (NOTHING, {"erased": 2})


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_databases_of_every_version_are_checked(place: Path, raw: Path, version: Version) -> None:
    tables = together(
        sent(raw, "whole", [A, B]),
        sent(raw, "partly", [note("c"), note("d")], stored=[0]),
        {"entities": [entity("hollow")]},
    )
    target = make_version(place, version, tables, shuffled=7)
    assert named(found_in(target)) == {
        "never": set(),
        "partly": {"partly": (1, 2)},
        "hollow": {"hollow"},
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE sources DROP COLUMN provenance", NOTHING),
        ("ALTER TABLE sources DROP COLUMN storage_url", NOTHING),
        ("ALTER TABLE sources DROP COLUMN created_at", never("never")),
        ("ALTER TABLE observations DROP COLUMN interpretation_id", never("never")),
        ("ALTER TABLE observations DROP COLUMN created_at", never("never")),
        ("ALTER TABLE entities DROP COLUMN merged_at", never("never")),
        ("DROP TABLE interpretations", never("never")),
        ("DROP TABLE entity_merges", never("never")),
        ("DROP TABLE entity_splits", never("never")),
        ("DROP TABLE sources", NOTHING),
    ],
)
def test_what_a_database_lacks_makes_no_alarm(
    place: Path, raw: Path, change: str, expected: dict[str, object]
) -> None:
    tables = together(sent(raw, "whole", [A]), sent(raw, "never", [B], stored=[]))
    target = make_database(place, tables)
    with closing(sqlite3.connect(target)) as connection:
        connection.execute(change)
    stores = status_of(target)
    assert stores is not None
    assert named(stores) == expected


def test_a_database_in_use_is_read_with_its_log(place: Path, raw: Path) -> None:
    make_database(place)
    with closing(sqlite3.connect(place, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        insert(writer, "sources", sent(raw, "never", [A], stored=[])["sources"][0])
        assert named(found_in(place)) == never("never")


def test_a_part_of_a_database_says_nothing_of_its_stores(place: Path, raw: Path) -> None:
    target = make_database(place, sent(raw, "partly", [A, B], stored=[0]))
    assert check(target, types=("note",)).unfinished is None


def test_a_missing_or_damaged_database_has_no_stores_to_speak_of(place: Path, raw: Path) -> None:
    place.parent.mkdir()
    assert status_of_missing(place) is None
    make_database(place, sent(raw, "partly", [A, B], stored=[0]))
    place.write_bytes(place.read_bytes()[:-4096])
    assert status_of(place) is None


def status_of_missing(target: Path) -> UnfinishedStores | None:
    where = SearchRequest((target.parent,))
    return check_status(target, where, target.parent / "vault", NOW, Silent()).unfinished


def test_a_rebuild_names_them_too_and_a_recovered_database_keeps_them(
    place: Path, raw: Path, run_recover: Recover
) -> None:
    backup = make_database(place, sent(raw, "partly", [A, B], stored=[0]))
    target = make_database(place.parent / "neotoma.production.db")
    run_recover(target, backup)
    report = rebuild(target)
    assert report.unfinished is not None
    assert named(report.unfinished) == partly(partly=(1, 2))


def test_a_drill_does_not_look_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault(tmp_path)
    make_database(
        vault.target,
        sent(vault.target.parent / "sources_prod", "partly", [A, B], stored=[0]),
    )
    monkeypatch.setattr(rebuild_operation, "find_unfinished", not_to_be_called)
    drill = vault.back_up().drill
    assert drill is not None
    assert drill.outcome == "pass"
    with pytest.raises(AssertionError):
        check(vault.target)


def not_to_be_called(_: object) -> UnfinishedStores:
    raise AssertionError
