"""The documentation says what is: commands, exit codes, the keys of the report."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from neotoma_core import errors
from neotoma_core.cli.app import app
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.ops import (
    archive_after,
    archive_planning,
    archived_database,
    erased_rows,
    erasure_reporting,
    rebuild_reporting,
    reporting,
    verify_archive,
)
from neotoma_core.ops.reset import ResetReport
from neotoma_core.ops.restore import RestoreReport
from neotoma_core.ops.shell_guard import GuardReport
from neotoma_core.report import findings, unfinished
from neotoma_core.report.archive import ArchiveReport
from neotoma_core.report.archive_restore import ArchiveRestoreReport
from neotoma_core.report.archive_verification import ArchiveVerification
from neotoma_core.report.backup import BackupList, BackupReport, PruneReport, VerifyReport
from neotoma_core.report.compaction import CompactionReport
from neotoma_core.report.erasure import ErasureReport
from neotoma_core.report.export import ExportReport
from neotoma_core.report.history import HistoryReport
from neotoma_core.report.inventory import InventoryReport, StatusReport
from neotoma_core.report.rebuild import RebuildReport
from neotoma_core.report.recovery import RecoveryReport
from neotoma_core.report.unmerge import UnmergeReport

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
REPORT = (ROOT / "docs" / "report.md").read_text()
ERRORS = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.MiddenError)
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_in_the_tree_and_in_the_readme(error: type[errors.MiddenError]) -> None:
    line = next(
        line for line in (errors.__doc__ or "").splitlines() if f" {error.__name__} " in f" {line} "
    )
    assert re.search(rf"\b{error.exit_code}\b", line)
    row = next(line for line in README.splitlines() if f"`{error.__name__}`" in line)
    assert str(error.exit_code) in row.split("|")[1]


def test_every_command_is_in_the_readme() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`midden {command.callback.__name__}" in README
    assert all(f"`midden {group.name}" in README for group in app.registered_groups)


def test_every_key_of_the_report_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", REPORT))
    reports = (
        RecoveryReport,
        RowCounts,
        RebuildReport,
        ErasureReport,
        RestoreReport,
        InventoryReport,
        StatusReport,
        BackupReport,
        BackupList,
        VerifyReport,
        PruneReport,
        ResetReport,
        GuardReport,
        ArchiveReport,
        ArchiveRestoreReport,
        ArchiveVerification,
        CompactionReport,
        ExportReport,
        HistoryReport,
        UnmergeReport,
    )
    assert set().union(*map(keys_of, reports)) <= documented


def test_every_kind_of_finding_is_documented() -> None:
    sources = (
        findings,
        reporting,
        rebuild_reporting,
        unfinished,
        erased_rows,
        erasure_reporting,
        archive_after,
        archive_planning,
        archived_database,
        verify_archive,
    )
    kinds = {k for m in sources for k in re.findall(r'Finding\("([a-z-]+)"', inspect.getsource(m))}
    assert kinds
    assert all(f"`{kind}`" in REPORT for kind in kinds)


def keys_of(report: type[Any]) -> set[str]:
    """Return the field names of a report and of the values in it."""
    keys = set()
    for name, hint in get_type_hints(report).items():
        keys.add(name)
        for inner in (hint, *get_args(hint)):
            if dataclasses.is_dataclass(inner) and isinstance(inner, type):
                keys |= keys_of(inner)
    return keys
