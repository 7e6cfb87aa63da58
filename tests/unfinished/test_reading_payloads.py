"""Payloads that cannot be read, or need not be, and how much of them is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.find import status as find
from neotoma_core.unfinished import payload_files, payload_rows
from tests.support.databases import entity, make_database, observation
from tests.support.payloads import note, send, together
from tests.support.rebuilding import check
from tests.support.unfinished import NOTHING, A, B, find_in, names_in, never, partly, status_of


@pytest.mark.parametrize("stored", [[], [0]])
def test_a_payload_without_its_file_is_passed_over_in_silence(
    place: Path, raw: Path, stored: list[int]
) -> None:
    tables = send(raw, "lost", [A, B], stored=stored)
    shutil.rmtree(raw)
    report = check(make_database(place, tables))
    assert report.unfinished is not None
    assert (names_in(report.unfinished), report.unfinished.unchecked) == (NOTHING, {"no-file": 1})
    assert [f.kind for f in report.findings] == ["no-schema"] * len(stored)


@pytest.mark.parametrize(
    "content",
    [b"", b"not json", b"[1,2]", b'"text"', b"null", b'[{"title":"\xff"}]', b"[" * 5000],
)
def test_a_file_that_is_no_payload_says_nothing(place: Path, raw: Path, content: bytes) -> None:
    stores = find_in(make_database(place, send(raw, "odd", [], content=content)))
    assert (names_in(stores), stores.unchecked) == (NOTHING, {"unreadable": 1})


def test_a_damaged_file_says_nothing(place: Path, raw: Path) -> None:
    tables = send(raw, "damaged", [A, B], stored=[0])
    (file,) = raw.rglob("?" * 64)
    file.write_bytes(file.read_bytes().replace(b'"b"', b'"c"'))
    stores = find_in(make_database(place, tables))
    assert (names_in(stores), stores.unchecked) == (NOTHING, {"unreadable": 1})


def test_a_payload_with_text_that_is_no_utf8_elsewhere_in_the_database_is_read(
    place: Path, raw: Path
) -> None:
    target = make_database(place, send(raw, "partly", [A, B], stored=[0]))
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("UPDATE entities SET canonical_name = CAST(x'eda080' AS TEXT)")
        connection.execute("UPDATE observations SET entity_type = CAST(x'eda080' AS TEXT)")
        connection.commit()
    assert names_in(find_in(target)) == partly(partly=(1, 2))


@pytest.mark.parametrize(
    "fields", ["CAST(x'7bff7d' AS TEXT)", "'no json'", "'[1]'", "NULL", "7", "x'7b7d'"]
)
def test_an_observation_that_cannot_be_read_may_be_any_item(
    place: Path, raw: Path, fields: str
) -> None:
    target = make_database(place, send(raw, "odd", [A, B], stored=[0]))
    with closing(sqlite3.connect(target)) as connection:
        connection.execute(f"UPDATE observations SET fields = {fields}")
        connection.commit()
    stores = find_in(target)
    assert (names_in(stores), stores.unchecked) == (NOTHING, {"unreadable": 1})


def test_an_empty_payload_lacks_nothing(place: Path, raw: Path) -> None:
    stores = find_in(make_database(place, send(raw, "empty", [])))
    assert (names_in(stores), stores.unchecked) == (NOTHING, {})


def test_halves_of_characters_and_huge_numbers_are_compared(place: Path, raw: Path) -> None:
    half = b'[{"entity_type":"note","title":"\\ud83d","n":9007199254740993},{"title":"x"}]'
    told = observation(
        "o", "e1", source_id="odd", fields='{"title":"\\ud83d","n":9007199254740992}'
    )
    tables = together(
        send(raw, "odd", [], content=half), {"observations": [told], "entities": [entity("e1")]}
    )
    assert names_in(find_in(make_database(place, tables))) == partly(odd=(1, 2))


def test_a_huge_payload_is_not_read(
    place: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload_files, "MOST_BYTES", 40)
    tables = send(raw, "huge", [A, B], stored=[0])
    stores = find_in(make_database(place, tables))
    assert (names_in(stores), stores.unchecked) == (NOTHING, {"too-large": 1})


def test_of_very_many_observations_of_one_payload_no_more_are_read_than_it_can_have(
    place: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = send(raw, "huge", [A, B, note("c")], stored=[0, 1])
    target = make_database(place, tables)
    assert names_in(find_in(target)) == partly(huge=(2, 3))
    monkeypatch.setattr(payload_rows, "_MOST_STATED", 300)
    assert find_in(target).unchecked == {"unreadable": 1}


def test_a_payload_that_its_observations_prove_is_not_read(place: Path, raw: Path) -> None:
    tables = together(
        send(raw, "compact", [A, B]), send(raw, "pretty", [note("c"), note("d")], indented=True)
    )
    shutil.rmtree(raw)  # it would be counted as missing
    assert find_in(make_database(place, tables)).unchecked == {}


def test_a_status_reads_the_newest_files_and_a_check_all(
    place: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = together(*(send(raw, f"s{n}", [note(f"{n}")], stored=[]) for n in range(3)))
    target = make_database(place, tables)
    assert names_in(find_in(target)) == never("s0", "s1", "s2")
    monkeypatch.setattr(find, "_MOST_PAYLOADS", 2)
    stores = status_of(target)
    assert stores is not None
    assert (names_in(stores), stores.unchecked) == (never("s2", "s1"), {"not-reached": 1})
