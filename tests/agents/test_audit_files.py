"""The audit log goes on in a new file where one is full, and loses nothing by it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.agents.audit import LARGEST, LOG, AuditLine, append_line, read_lines
from neotoma_core.errors import VaultDamaged
from neotoma_core.vault.folder import AGENTS

LINE = AuditLine("2026-03-12T09:00:00Z", "test", "get_status", {}, "done")
LONG = replace(LINE, detail="x" * (LARGEST // 2))
LINES = 7


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    for number in range(LINES):
        append_line(tmp_path / "vault", tmp_path / "a.db", replace(LONG, tool=f"tool-{number}"))
    return tmp_path / "vault"


def test_a_full_file_is_followed_by_another_and_all_are_read(vault: Path) -> None:
    names = sorted(path.name for path in (vault / AGENTS).glob("*.jsonl"))
    assert names == ["audit-000001.jsonl", "audit-000002.jsonl", "audit-000003.jsonl", LOG]
    sizes = [path.stat().st_size for path in (vault / AGENTS).glob("*.jsonl")]
    assert max(sizes) < 2 * LARGEST
    assert [line.tool for line in read_lines(vault)] == [f"tool-{n}" for n in range(LINES)]


def test_a_stop_between_the_files_loses_nothing(vault: Path) -> None:
    (vault / AGENTS / LOG).rename(vault / AGENTS / "audit-000004.jsonl")
    assert len(read_lines(vault)) == LINES
    append_line(vault, vault.parent / "a.db", LINE)
    assert len(read_lines(vault)) == LINES + 1


def test_a_line_cut_short_at_the_start_of_a_file_does_not_hide_the_others(vault: Path) -> None:
    (vault / AGENTS / LOG).write_bytes(b'{"at":"2026-03-12T0')
    append_line(vault, vault.parent / "a.db", LINE)
    assert len(read_lines(vault)) == LINES


HARM: dict[str, Callable[[Path], object]] = {
    "the first is gone": lambda f: (f / "audit-000001.jsonl").unlink(),
    "one between is gone": lambda f: (f / "audit-000002.jsonl").unlink(),
    "two are swapped": lambda f: (f / "audit-000001.jsonl").rename(f / "audit-000009.jsonl"),
    "one is changed": lambda f: (f / "audit-000002.jsonl").write_bytes(
        (f / "audit-000002.jsonl").read_bytes().replace(b"tool-2", b"tool-8")
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_file_that_was_changed_or_taken_away_is_found_out(harm: str, vault: Path) -> None:
    HARM[harm](vault / AGENTS)
    with pytest.raises(VaultDamaged):
        read_lines(vault)
