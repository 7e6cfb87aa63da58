"""The watch on upstream: it names what is new in a source tree, and nothing else."""

import json
from pathlib import Path

import pytest

from neotoma_core.neotoma.tables import TABLES
from tests import upstream
from tests.upstream import CLIENT, DEFINITIONS, FIELD_CONVERTERS, REDUCER, RULE_FILES, main


def statements() -> str:
    """Return the tables and indexes that are known, written as Neotoma's source writes its own."""
    parts = []
    for table in TABLES:
        columns = ",\n".join(f"    {column.name} {column.type}" for column in table.columns)
        parts.append(f"  `CREATE TABLE IF NOT EXISTS {table.name} (\n{columns}\n  )`,")
        parts += [
            f"  `CREATE INDEX IF NOT EXISTS {index.name}\n    ON {table.name}(x)`,"
            for index in table.indexes
        ]
    return "\n".join(parts)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree in which everything is known, and was read."""
    files = dict.fromkeys(RULE_FILES, "// as it was\n")
    files[CLIENT] = statements()
    files[REDUCER] = 'case "last_write":\n  case "merge_array_by_key":\n'
    files[FIELD_CONVERTERS] = "  string_to_number: convertStringToNumber,\n"
    files[DEFINITIONS] = 'entity_type: "note",\n'
    for name, text in files.items():
        path = tmp_path / "neotoma" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(upstream, "READ", tmp_path / "read.json")
    assert main([str(tmp_path / "neotoma"), "--record", "v0.99"]) == 0
    return tmp_path / "neotoma"


def test_of_a_tree_that_is_known_nothing_is_new(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(checkout)]) == 0
    assert capsys.readouterr().out == "nothing is new\n"


NEW = {
    "table: moods": (CLIENT, "`CREATE TABLE IF NOT EXISTS moods (\n    id TEXT\n  )`,"),
    "column of observations: mood": (
        CLIENT,
        'addColumnIfMissing(db, "observations", "mood", "TEXT");',
    ),
    "column of sources: depth": (
        CLIENT,
        "`CREATE TABLE IF NOT EXISTS sources (\n    id TEXT,\n    depth REAL\n  )`,",
    ),
    "index: idx_moods": (CLIENT, '"CREATE UNIQUE INDEX IF NOT EXISTS idx_moods ON moods(id)"'),
    "trigger: rows_stay": (CLIENT, "`CREATE TRIGGER IF NOT EXISTS rows_stay BEFORE DELETE`"),
    "strategy: merge_by_mood": (REDUCER, 'case "merge_by_mood":'),
    "converter: moon_to_date": (FIELD_CONVERTERS, "  moon_to_date: convertMoonToDate,"),
    "type with a schema: mood": (DEFINITIONS, 'entity_type: "mood",'),
}


@pytest.mark.parametrize("told", NEW)
def test_what_is_new_is_named_with_the_file_it_is_in(
    told: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, more = NEW[told]
    path = checkout / name
    path.write_text(f"{path.read_text()}\n{more}\n")
    assert main([str(checkout)]) == 1
    assert capsys.readouterr().out.splitlines() == [told, f"file not read as v0.99 has it: {name}"]


def test_a_rule_file_that_is_gone_is_named(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / RULE_FILES[2]).unlink()
    assert main([str(checkout)]) == 1
    assert capsys.readouterr().out == f"gone: {RULE_FILES[2]}\n"


def test_a_tree_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no source tree of Neotoma" in capsys.readouterr().err


def test_what_was_read_is_a_document_that_can_be() -> None:
    read = json.loads((Path(__file__).parents[1] / "data/fixtures/upstream_read.json").read_text())
    assert set(read) == {"files", "types"}
