"""Stores that did not finish, as they are reported to a user."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.neotoma.test_encryption import KEY, SECRET
from tests.support.databases import entity, make_database
from tests.support.payloads import note, send, together

IDS = {"never", "partly", "hollow"}
COUNTS = "unfinished 1 payloads never stored, 1 partly stored, 1 entities without an observation;"
ADVICE = "send it again under a new idempotency key"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sources_prod"


@pytest.fixture
def target(tmp_path: Path, raw: Path) -> Path:
    tables = together(
        send(raw, "whole", [note("planted-lantern")]),
        send(raw, "never", [note("planted-harbour")], stored=[]),
        send(raw, "partly", [note("planted-orchard"), note("b")], stored=[1]),
        {"entities": [entity("hollow")]},
    )
    return make_database(tmp_path / "data" / "neotoma.prod.db", tables)


def test_a_check_counts_them_in_text_and_names_them_as_json_and_is_no_alarm(
    midden: Midden, target: Path
) -> None:
    assert midden("rebuild", "--target", target, "--yes").returncode == 0
    told = midden("rebuild", "--target", target, "--check")
    assert (told.returncode, told.stderr) == (0, "")
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("unfinished")]
    assert line.startswith(COUNTS)
    assert ADVICE in line
    assert not any(identifier in told.stdout for identifier in ("partly-", "hollow"))
    done = midden("rebuild", "--target", target, "--check", "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert {f["subject"] for f in report["findings"] if f["kind"] != "no-schema"} == IDS
    details = {f["subject"]: f["detail"] for f in report["findings"]}
    assert details["partly"].startswith("1 of its 2 items are stored; ")
    assert ADVICE in details["never"]
    (partly,) = report["unfinished"]["partly_stored"]
    assert (partly["source"], partly["stored"], partly["items"]) == ("partly", 1, 2)
    assert "planted" not in told.stdout + done.stdout


def test_a_rebuild_with_nothing_to_write_mentions_them(midden: Midden, target: Path) -> None:
    first = midden("rebuild", "--target", target, "--yes")
    again = midden("rebuild", "--target", target, "--yes")
    assert "unchanged  every snapshot" in again.stdout
    assert first.stdout.count(COUNTS) == again.stdout.count(COUNTS) == 1


def test_a_status_mentions_them_in_one_line_and_is_no_alarm(midden: Midden, target: Path) -> None:
    told = midden("status", target)
    assert told.returncode == 0
    assert told.stdout.count(COUNTS) == 1
    found = json.loads(midden("status", target, "--json").stdout)["unfinished"]
    assert [store["source"] for store in found["never_stored"]] == ["never"]
    assert [store["source"] for store in found["partly_stored"]] == ["partly"]
    assert (found["hollow"], found["unchecked"]) == (["hollow"], {})


def test_a_healthy_database_is_not_mentioned(midden: Midden, raw: Path, tmp_path: Path) -> None:
    target = make_database(
        tmp_path / "data" / "neotoma.prod.db", send(raw, "whole", [note("a"), note("b")])
    )
    midden("rebuild", "--target", target, "--yes")
    for told in (midden("rebuild", "--target", target, "--check"), midden("status", target)):
        assert told.returncode == 0
        assert "unfinished" not in told.stdout
        assert "unchecked" not in told.stdout


def test_a_status_without_the_key_says_what_it_could_not_check(
    midden: Midden, raw: Path, tmp_path: Path
) -> None:
    tables = send(raw, "partly", [note("a"), note("b")], stored=[0])
    rows = [{**row, "fields": KEY.seal(str(row["fields"]))} for row in tables["observations"]]
    target = make_database(tmp_path / "data" / "neotoma.prod.db", {**tables, "observations": rows})
    closed = midden("status", target)
    assert "unchecked  payloads and entities: 1 encrypted and no key opens them" in closed.stdout
    assert "unfinished" not in closed.stdout
    key = tmp_path / "secret.key"
    key.write_text(SECRET.hex())
    assert "unfinished 1 partly stored;" in midden("status", target, "--key-file", key).stdout
