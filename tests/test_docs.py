"""The documentation says what is: commands, exit codes, the keys of the report."""

import ast
import dataclasses
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from neotoma_core import errors
from neotoma_core.cli.app import app
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.ops.shell_guard import GuardReport
from neotoma_core.report.recovery import RecoveryReport
from neotoma_core.report.unmerge import UnmergeReport

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
REPORT = (ROOT / "docs" / "report.md").read_text()
SOURCES = [path for top in ("neotoma_core", "pipelines") for path in (ROOT / top).rglob("*.py")]
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
    reports = reports_of("neotoma_core.report", "neotoma_core.ops")
    assert {RecoveryReport, UnmergeReport, GuardReport} <= reports  # of both packages
    keys = set().union(*map(keys_of, (*reports, RowCounts)))
    assert keys - documented == set()


def reports_of(*packages: str) -> set[type[Any]]:
    """Return what is printed as JSON."""
    found = set()
    for package in packages:
        for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
            classes = inspect.getmembers(import_module(module.name), inspect.isclass)
            found |= {made for _, made in classes if "to_json" in vars(made)}
    return found


def test_every_kind_of_finding_is_documented() -> None:
    """Wherever one is made: its kind is a word in the source, and the documentation has it."""
    made = [call for path in SOURCES for call in calls_of("Finding", path)]
    kinds = {ast.literal_eval(call.args[0]) for call in made}
    documented = set(re.findall(r"`([a-z-]+)`", REPORT.partition("# Findings\n")[2]))
    assert {"archive-damaged", "vectors-left"} <= kinds  # of different packages
    assert kinds - documented == set()


def calls_of(name: str, path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
            yield node


def keys_of(report: type[Any]) -> set[str]:
    """Return the field names of a report and of the values in it."""
    keys = set()
    for name, hint in get_type_hints(report).items():
        keys.add(name)
        for inner in (hint, *get_args(hint)):
            if dataclasses.is_dataclass(inner) and isinstance(inner, type):
                keys |= keys_of(inner)
    return keys
