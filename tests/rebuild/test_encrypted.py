"""Rebuilding a database with encrypted columns: compared in memory, written back encrypted."""

from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import KeyMissing, KeyWrong
from tests.neotoma.test_encryption import SECRET
from tests.support.archiving import everything_in
from tests.support.databases import entity, make_database, observation, read_all
from tests.support.rebuilding import check, drift_of, export, rebuild
from tests.support.sealing import PLANTED, STATED, key_file, open_cells, seal, snapshots


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_database(
        tmp_path / "data" / "target.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [seal("a", STATED), observation("b", "e2")],
        },
    )


def test_snapshots_are_written_sealed_and_stay_as_they_are(target: Path, tmp_path: Path) -> None:
    key = key_file(tmp_path, SECRET)
    assert rebuild(target, key=key).writes == 2
    assert (STATED, '{"title":"a","diary":"a"}') in open_cells(snapshots(target))
    assert check(target, key=key).drifts == 0
    before = snapshots(target)
    assert rebuild(target, key=key).outcome == "unchanged"
    assert snapshots(target) == before


def test_without_the_key_or_with_another_nothing_is_written(target: Path, tmp_path: Path) -> None:
    before = read_all(target)
    with pytest.raises(KeyMissing):
        rebuild(target)
    with pytest.raises(KeyWrong):
        rebuild(target, key=key_file(tmp_path, bytes(32)))
    assert read_all(target) == before


def test_drift_is_found_under_the_seal_and_nothing_of_it_is_shown(
    target: Path, tmp_path: Path
) -> None:
    key = key_file(tmp_path, SECRET)
    rebuild(target, key=key)
    other = make_database(
        tmp_path / "other" / "target.db",
        {"entities": [entity("e1")], "observations": [seal("a", STATED)]},
    )
    report = check(other, key=key)
    assert drift_of(report) == {("missing", "e1")}
    assert PLANTED not in report.to_json()
    written = everything_in(tmp_path)
    assert "missing" in written  # the search finds what there is
    assert PLANTED not in written


def test_an_export_is_plain_as_its_user_asked(target: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    export(target, out, key=key_file(tmp_path, SECRET))
    assert sorted(pl.read_parquet(out)["snapshot"]) == [STATED, '{"title":"b"}']
