"""The worst row gives the exit code, and is the first of the table."""

from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.errors import FleetError
from neotoma_core.fleet.attempt import make_row
from neotoma_core.fleet.report import FleetReport, FleetRow, Outcome, worst_code
from neotoma_core.fleet.task import FleetTask
from neotoma_core.fleet.text import fleet_text
from tests.conftest import NOW


def row(name: str, outcome: Outcome, code: int, *, may_pass: bool = False) -> FleetRow:
    task = FleetTask("backup", name, Path(name), Path("vault"), Path("midden.toml"), NOW)
    return make_row(task, outcome, code, None, f"said of {name}", 1.25, may_pass=may_pass)


WORST_FIRST = (
    row("lost", "alarm", 6),
    row("failed-drill", "alarm", 5),
    row("ruined", "alarm", 11),
    row("full", "failed", 14),
    row("locked", "failed", 11, may_pass=True),
    row("partly", "attention", 3),
    row("well", "ok", 0),
)


def report_of(*rows: FleetRow) -> FleetReport:
    return FleetReport(NOW.isoformat(), "backup", "threads", 2, rows, 12.5, worst_code(rows))


def test_the_exit_code_is_that_of_the_worst_whatever_the_order() -> None:
    for place in range(len(WORST_FIRST)):
        rest = WORST_FIRST[place:]
        assert worst_code(rest) == worst_code(rest[::-1]) == rest[0].code
    assert worst_code(()) == 0


def test_a_flow_ends_with_an_error_that_names_the_worst_first() -> None:
    with pytest.raises(FleetError, match="5 of 7 databases need somebody: lost, failed-drill, "):
        report_of(*WORST_FIRST[::-1]).require_well()
    report_of(*WORST_FIRST[5:]).require_well()


def test_the_table_has_the_worst_first_and_counts_all() -> None:
    tried = replace(WORST_FIRST[4], attempts=2)
    lines = fleet_text(report_of(*WORST_FIRST[:4], tried, *WORST_FIRST[5:])).splitlines()
    assert lines[0].split() == ["database", "outcome", "seconds", "what", "happened"]
    assert [line.split()[0] for line in lines[1:8]] == [one.name for one in WORST_FIRST]
    assert lines[5].endswith("said of locked (tried 2 times)")
    assert lines[-1] == "backup     7 rows: 3 alarm, 2 failed, 1 attention, 1 ok, in 12.5 s"


def test_a_name_is_printable_in_the_table() -> None:
    odd = replace(WORST_FIRST[0], name="a\nb", said="x\x1b[31m")
    text = fleet_text(report_of(odd))
    assert "\x1b" not in text
    assert "a\\nb" in text


def test_nothing_to_do_is_said() -> None:
    assert "nothing to do" in fleet_text(report_of())
