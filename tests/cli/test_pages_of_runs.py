"""The page of a real run has the numbers of its report, and its verdict on top."""

import json
import re
import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import entity, make_database, observation

ROWS = 7


@pytest.fixture
def target(tmp_path: Path, midden: Midden) -> Path:
    """A database that lost an observation which a copy has, with snapshots, and a remote."""
    rows = {
        "entities": [entity(f"e{n}") for n in range(ROWS)],
        "observations": [observation(f"o{n}", f"e{n}") for n in range(ROWS)],
    }
    target = make_database(tmp_path / "data" / "neotoma.prod.db", rows)
    make_database(tmp_path / "data" / "older.prod.db", rows)
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("DELETE FROM observations WHERE id = 'o6'")
    there = tmp_path / "remote"
    there.mkdir()
    added = midden("remote", "add", "there", there.as_uri(), "--plain", "--target", target)
    assert added.returncode == 0, added.stderr
    return target


def play(midden: Midden, *words: str | Path) -> tuple[dict[str, Any], str, str]:
    """Run a command; return its report, and the verdict and the words of its page."""
    report = json.loads(midden(*words, "--json").stdout)
    assert "error" not in report, report
    page = Path(report.get("page") or report["picture"]).read_text()
    (verdict,) = re.findall(r"<h1[^>]*>(.*?)</h1>", page)
    return report, read_words(verdict), read_words(page)


def read_words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_rebuild(target: Path, midden: Midden) -> None:
    report, verdict, words = play(midden, "rebuild", "--check", "--target", target)
    drifts = sum(one["inserted"] + one["updated"] + one["removed"] for one in report["derived"])
    assert drifts == ROWS - 1
    assert verdict == f"neotoma.prod.db: {drifts} snapshots differ from what the log says."
    assert all(item["id"] in words for item in report["drifted"])


def test_find(target: Path, midden: Midden) -> None:
    page = target.parent / "found.html"
    report, verdict, words = play(midden, "find", target.parent, "--picture", page)
    assert {copy["observations"] for copy in report["copies"]} == {ROWS, ROWS - 1}
    assert all(Path(copy["path"]).name in words for copy in report["copies"])
    assert verdict.startswith("2 copies") or "1 observation is in its copies" in verdict


def test_archive(target: Path, midden: Midden) -> None:
    report, verdict, words = play(midden, "archive", "--target", target)
    assert report["appended"] == 2 * ROWS - 1
    assert verdict.startswith(f"{report['appended']} versions of rows of neotoma.prod.db were")
    assert all(one["table"] in words for one in report["archived"] if one["appended"])


def test_export(target: Path, midden: Midden) -> None:
    out = target.parent / "out"
    report, verdict, words = play(midden, "export", "--to", out, "--target", target)
    rows = sum(file["rows"] for file in report["files"])
    assert verdict == f"{rows} rows in {len(report['files'])} files were exported."
    assert all(file["file"] in words for file in report["files"])


def test_push(target: Path, midden: Midden) -> None:
    report, verdict, words = play(midden, "push", "--target", target)
    assert report["remote"] == "there"
    assert sum(report["versions"].values()) == 2 * ROWS - 1
    assert all(table in words for table in report["versions"])
    assert "neotoma.prod.db" in verdict
    assert "there" in words


def test_erase(target: Path, midden: Midden) -> None:
    report, verdict, words = play(midden, "erase", "--entity", "e1", "--yes", "--target", target)
    assert verdict.startswith(f"{report['rows']} rows and 0 raw files are gone from neo")
    assert report["back_up"] in words
    assert all(check["detail"] in words for check in report["checks"])
