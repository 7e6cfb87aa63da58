"""What the lines of SQLite's integrity check say, and which faults are new."""

import pytest

from neotoma_core.sqlite.faults import Fault, faults_in, new_faults, tolerable

OWNERS = {"by_name": "entities"}
SAID = {
    "row 7 missing from index by_name": "entities: 1 rows are missing from index by_name",
    "row 7 values differ from index by_name": "entities: 1 rows differ from index by_name",
    "rowid not at end-of-record for row 7 of index by_name": "entities: 1 rows differ from "
    "index by_name",
    "wrong # of entries in index by_name": "entities: 1 wrong count of entries of index by_name",
    "non-unique entry in index by_name": "entities: 1 rows repeat a key of index by_name",
    "NULL value in a.b": "a: 1 rows have NULL in b, which must not be",
    "CHECK constraint failed in a": "a: 1 rows break a CHECK of the table",
    "Tree 5 page 9: btreeInitPage() returns error code 11": "Tree 5 page 9: btreeInitPage() "
    "returns error code 11",
}
OTHER_TYPE = "a: 1 rows have another type of value in b than it is declared with"
SAID |= {f"{what} value in a.b": OTHER_TYPE for what in ("NUMERIC", "TEXT", "non-INTEGER")}


@pytest.mark.parametrize(("line", "said"), SAID.items(), ids=range(len(SAID)))
def test_every_line_has_its_words(line: str, said: str) -> None:
    (fault,) = faults_in([line, "ok", "*** in database main ***"], OWNERS)
    assert str(fault) == said
    assert bool(tolerable([fault])) == ("page" not in line)


def test_rows_are_counted_and_an_index_is_named_once() -> None:
    lines = [*(f"row {n} missing from index by_name" for n in range(3)), *SAID]
    missing = [f for f in faults_in(lines, OWNERS) if f.kind == "index"]
    assert [(f.what, f.rows) for f in missing] == [
        ("rows are missing from index by_name", 4),
        ("rows differ from index by_name", 2),
    ]


def test_only_what_is_more_is_new() -> None:
    found = [Fault("rule", "a", "x", 3), Fault("rule", "b", "x"), Fault("rule", "c", "x")]
    known = [Fault("rule", "a", "x", 2), Fault("rule", "b", "x", 5)]
    assert [str(fault) for fault in new_faults(found, known)] == ["a: 1 x", "c: 1 x"]
