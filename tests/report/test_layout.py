"""Tables fit a terminal of 80 columns, and lose no cell by it."""

import pytest

from neotoma_core.backup.report import BackupList, ListedBackup
from neotoma_core.backup.text import list_text
from neotoma_core.report.layout import WIDTH, align, fit_columns, label_lines

WIDE = ("word " * 30).strip()
NUMBERS = [
    ("table", "", *(f"column {n}" for n in range(9))),
    ("relationship_observations", "backup 1", *(f"{n:,}" for n in range(1000, 9001, 1000))),
    ("entities", "", *(str(n) for n in range(9))),
]


def test_what_fits_is_as_it_was() -> None:
    rows = [("a", "1"), ("bb", "22")]
    assert fit_columns(rows, right=(1,)) == align(rows, right=(1,))


def test_narrow_gaps_come_first() -> None:
    rows = [("a" * 26, "b" * 26, "c" * 24)]
    assert fit_columns(rows, right=()) == ["  ".join(rows[0])]


@pytest.mark.parametrize("indent", [0, 11])
@pytest.mark.parametrize("name", ["short", "n" * 60])
def test_a_long_last_cell_is_broken_between_words(name: str, indent: int) -> None:
    lines = fit_columns(
        [(name, "1", WIDE), ("other", "22", ""), ("third", "3", "few")], (1,), indent
    )
    assert all(len(line) <= WIDTH - indent or line.startswith(name) for line in lines)
    assert " ".join(" ".join(lines).split()).count("word") == 30
    assert sum(line.startswith(("short", "n" * 60, "other", "third")) for line in lines) == 3


def test_a_word_that_is_longer_stays_whole() -> None:
    path = "/home/somebody/" + "folder/" * 12 + "neotoma.prod.db"
    assert any(path in line for line in fit_columns([("a", f"in {path} there")], right=()))


@pytest.mark.parametrize("indent", [0, 11])
def test_columns_of_numbers_that_do_not_fit_follow_below(indent: int) -> None:
    lines = fit_columns(NUMBERS, right=range(2, 11), indent=indent)
    assert max(map(len, lines)) <= WIDTH - indent
    assert len(lines) % len(NUMBERS) == 0
    for row in NUMBERS:
        cells = [cell for cell in row[2:] if cell]
        assert all(
            any(line.startswith(row[0]) and cell in line for line in lines) for cell in cells
        )


def test_a_labelled_line_is_broken_between_words() -> None:
    first, *others = label_lines("names", WIDE)
    assert first.startswith("names      word")
    assert all(line.startswith(" " * 11) for line in others)
    assert max(map(len, [first, *others])) <= WIDTH
    assert " ".join(" ".join(others).split()).count("word") + first.count("word") == 30


def test_the_list_of_backups_fits() -> None:
    alarms = ("nine tenths of the observations are missing: 61,230 to 12", "another", "a third")
    listed = ListedBackup(
        12,
        "2026-03-12T10-00-00Z-scheduled-0012",
        "scheduled",
        "2026-03-12T10:00:00.000Z",
        61_230,
        5_400,
        45_000_000,
        *(0, 0, 0),
        "lossy",
        "recomputed",
        None,
        0.9,
        alarms,
        "before the move to another machine",
        None,
    )
    text = list_text(BackupList("vault", (listed,), (), complete=True, frozen=False))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "61,230 to 12 and 2 more alarms" in " ".join(text.split())
