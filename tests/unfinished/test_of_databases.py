"""Unfinished stores of databases of every kind: in use, old, damaged, encrypted, erased from."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.files.keys import KeyFile
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.rebuild import rebuild as rebuild_operation
from neotoma_core.report.progress import Silent
from neotoma_core.report.unfinished import UnfinishedStores
from neotoma_core.runs.begin import Whereabouts
from tests.conftest import NOW, Recover
from tests.neotoma.test_encryption import KEY, SECRET
from tests.support.backing_up import Vault
from tests.support.databases import Row, entity, insert, make_database
from tests.support.payloads import note, send, together
from tests.support.rebuilding import check, rebuild
from tests.support.sealing import key_file
from tests.support.unfinished import (
    NOTHING,
    A,
    B,
    before_now,
    find_in,
    names_in,
    never,
    partly,
    status_of,
)
from tests.support.versions import VERSIONS, Version, make_version


def seal(rows: list[Row]) -> list[Row]:
    return [{**row, "fields": KEY.seal(str(row["fields"]))} for row in rows]


def test_encrypted_observations_are_compared_with_the_key_and_not_without(
    place: Path, raw: Path, tmp_path: Path
) -> None:
    tables = together(
        send(raw, "whole", [A]),
        send(raw, "never", [note("n")], stored=[]),
        send(raw, "partly", [note("p"), note("q")], stored=[1]),
    )
    tables["observations"] = seal(tables["observations"])
    target = make_database(place, tables)
    expected = {"never": {"never"}, "partly": {"partly": (1, 2)}, "hollow": set()}
    key = key_file(tmp_path, SECRET)
    opened = check(target, key=key).unfinished
    assert opened is not None
    assert (names_in(opened), opened.unchecked) == (expected, {})
    assert status_of(target, key) == opened
    for unusable in (None, key_file(tmp_path, bytes(32)), KeyFile(tmp_path / "absent.key")):
        closed = status_of(target, unusable)
        assert closed is not None
        assert (names_in(closed), closed.unchecked) == (never("never"), {"encrypted": 2})


def test_what_an_erasure_left_of_a_payload_is_no_crash(place: Path, raw: Path) -> None:
    erased = send(raw, "shared", [A, B])
    later = before_now(-3 * 86_400)
    tables = together(
        erased,
        {"entities": [entity("emptied"), entity("hollow", created_at=later)]},
        send(raw, "after", [note("c"), note("d")], stored=[0], created_at=later),
    )
    target = make_database(place, tables)
    assert names_in(find_in(target)) == {
        "never": set(),
        "partly": {"after": (1, 2)},
        "hollow": {"emptied", "hollow"},
    }
    request = EraseRequest(target, target.parent / "vault", entities=("shared-e0",))
    with erase_run(request, NOW + timedelta(days=1)) as run:
        assert erase(run, lambda _: True, Silent()).outcome == "erased"
    stores = find_in(target)
    assert names_in(stores) == {"never": set(), "partly": {"after": (1, 2)}, "hollow": {"hollow"}}
    assert stores.unchecked == {"erased": 2}


def test_an_erased_id_that_is_back_is_not_named(place: Path, raw: Path) -> None:
    tables = together(send(raw, "kept", [A]), send(raw, "gone", [B]))
    target = make_database(place, tables)
    request = EraseRequest(target, target.parent / "vault", entities=("gone-e0",))
    with erase_run(request, NOW) as run:
        erase(run, lambda _: True, Silent())
    later = before_now(-3 * 86_400)
    back = send(raw, "gone", [B], stored=[], created_at=later)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        insert(connection, "sources", back["sources"][0])
        insert(connection, "entities", entity("gone-e0", created_at=later))
    stores = find_in(target)
    assert (names_in(stores), stores.unchecked) == (NOTHING, {"erased": 2})


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_databases_of_every_version_are_checked(place: Path, raw: Path, version: Version) -> None:
    tables = together(
        send(raw, "whole", [A, B]),
        send(raw, "partly", [note("c"), note("d")], stored=[0]),
        {"entities": [entity("hollow")]},
    )
    target = make_version(place, version, tables, shuffled=7)
    assert names_in(find_in(target)) == {
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
    tables = together(send(raw, "whole", [A]), send(raw, "never", [B], stored=[]))
    target = make_database(place, tables)
    with closing(sqlite3.connect(target)) as connection:
        connection.execute(change)
    stores = status_of(target)
    assert stores is not None
    assert names_in(stores) == expected


def test_a_database_in_use_is_read_with_its_log(place: Path, raw: Path) -> None:
    make_database(place)
    with closing(sqlite3.connect(place, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        insert(writer, "sources", send(raw, "never", [A], stored=[])["sources"][0])
        assert names_in(find_in(place)) == never("never")


def test_a_part_of_a_database_says_nothing_of_its_stores(place: Path, raw: Path) -> None:
    target = make_database(place, send(raw, "partly", [A, B], stored=[0]))
    assert check(target, types=("note",)).unfinished is None


def test_a_missing_or_damaged_database_has_no_stores_to_speak_of(place: Path, raw: Path) -> None:
    place.parent.mkdir()
    assert status_of_missing(place) is None
    make_database(place, send(raw, "partly", [A, B], stored=[0]))
    place.write_bytes(place.read_bytes()[:-4096])
    assert status_of(place) is None


def status_of_missing(target: Path) -> UnfinishedStores | None:
    where = SearchRequest((target.parent,))
    return check_status(
        Whereabouts(target, target.parent / "vault"), where, NOW, Silent()
    ).unfinished


def test_a_rebuild_names_them_too_and_a_recovered_database_keeps_them(
    place: Path, raw: Path, run_recover: Recover
) -> None:
    backup = make_database(place, send(raw, "partly", [A, B], stored=[0]))
    target = make_database(place.parent / "neotoma.production.db")
    run_recover(target, backup)
    report = rebuild(target)
    assert report.unfinished is not None
    assert names_in(report.unfinished) == partly(partly=(1, 2))


def test_a_drill_does_not_look_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault(tmp_path)
    make_database(
        vault.target,
        send(vault.target.parent / "sources_prod", "partly", [A, B], stored=[0]),
    )
    monkeypatch.setattr(rebuild_operation, "find_unfinished", not_to_be_called)
    drill = vault.back_up().drill
    assert drill is not None
    assert drill.outcome == "pass"
    with pytest.raises(AssertionError):
        check(vault.target)


def not_to_be_called(_: object) -> UnfinishedStores:
    raise AssertionError
