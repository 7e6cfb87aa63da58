"""The documentation says what is: commands, options, links, exit codes, the keys of reports."""

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
import yaml  # type: ignore[import-untyped]

from neotoma_core import errors
from neotoma_core.cli.app import app
from neotoma_core.guard.shell import GuardReport
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.unmerge.report import UnmergeReport
from tests.command_line import commands
from tests.commands_page import PAGE, commands_page
from tests.pages import DOCS, PAGES, README, ROOT, anchors, command_lines, find_commands

EXIT_CODES = (DOCS / "exit-codes.md").read_text()
REPORT = (DOCS / "report.md").read_text()
ARCHITECTURE = (DOCS / "architecture.md").read_text()
CORE = ROOT / "neotoma_core"
SOURCES = [path for top in ("neotoma_core", "pipelines") for path in (ROOT / top).rglob("*.py")]
ERRORS = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.MiddenError)
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_in_the_tree_and_in_the_table_of_exit_codes(
    error: type[errors.MiddenError],
) -> None:
    line = next(
        line for line in (errors.__doc__ or "").splitlines() if f" {error.__name__} " in f" {line} "
    )
    assert re.search(rf"\b{error.exit_code}\b", line)
    row = next(line for line in EXIT_CODES.splitlines() if f"`{error.__name__}`" in line)
    assert str(error.exit_code) in row.split("|")[1]


def test_the_page_of_commands_is_current() -> None:
    assert PAGE.read_text() == commands_page(), "python -m tests.commands_page"
    text = PAGE.read_text()
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"\n## midden {command.callback.__name__}\n" in text
    assert all(f"\n## midden {group.name} " in text for group in app.registered_groups)


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.read_bytes()) <= 6_000
    linked = set(re.findall(r"\(docs/([\w-]+\.md)", README.read_text()))
    assert linked == {page.name for page in DOCS.glob("*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert list(find_broken_links(page, page.read_text())) == []


def find_broken_links(page: Path, text: str) -> Iterator[str]:
    """Yield the links of a page that lead nowhere; those to other sites are not followed."""
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        if re.match(r"https?:", link):
            continue
        to = page.parent / path if path else page
        if not to.is_file() or (anchor and anchor not in anchors(to.read_text())):
            yield link


def test_a_link_that_leads_nowhere_is_found() -> None:
    text = "[a](recover.md#conflicts) [b](gone.md) [c](recover.md#gone) [d](#gone)"
    page = DOCS / "find.md"
    assert list(find_broken_links(page, text)) == ["gone.md", "recover.md#gone", "#gone"]


def test_what_the_architecture_names_is_there_and_every_package_is_named() -> None:
    named = set(re.findall(r"`([\w./-]+(?:/|\.py|\.json))`", ARCHITECTURE))
    assert {name for name in named if not is_there(name)} == ELSEWHERE
    packages = {f"{path.parent.name}/" for path in CORE.glob("*/__init__.py")}
    assert packages - named == set()


ELSEWHERE = {"blobs/", "remotes.json"}  # in a vault


def is_there(name: str) -> bool:
    return any((folder / name).exists() for folder in (CORE, ROOT))


def test_a_module_that_was_moved_away_is_found() -> None:
    assert is_there("errors/")
    assert not is_there("errors/gone.py")


def test_the_run_that_scheduling_asks_for_names_a_deployment_and_its_parameters() -> None:
    """The other lines for Prefect are run, see ``tests/flows``; this one needs real copies."""
    (line,) = [
        line
        for line in command_lines(DOCS / "scheduling.md")
        if line.startswith("prefect deployment run ")
    ]
    flow, _, name = line.split()[3].partition("/")
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    (deployed,) = [each for each in deployments if each["name"] == name]
    path, _, function = deployed["entrypoint"].partition(":")
    assert function.replace("_", "-") == flow
    (defined,) = [
        node
        for node in ast.parse((ROOT / path).read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    taken = {each.arg for each in (*defined.args.args, *defined.args.kwonlyargs)}
    asked = set(re.findall(r"--param '?(\w+)=", line))
    assert asked == {"target", "backups"}
    assert asked <= taken


OPTIONS = {
    words: {name for parameter in command.params for name in parameter.opts}
    for words, command in commands()
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    assert [said for said in find_commands(page) if not exists(said)] == []


def exists(said: str) -> bool:
    """Return whether a command has all the options that a page writes after its name."""
    words = said.split()
    name = next(n for n in (" ".join(words[:3]), " ".join(words[:2]), words[0]) if n in OPTIONS)
    options = {word.strip("[]") for word in words if word.startswith(("-", "[-"))}
    return (name != "midden" or len(words) == 1 or words[1] in PLACEHOLDERS | options) and (
        options <= OPTIONS[name] | {"--help"}
    )


PLACEHOLDERS = {"COMMAND"}


def test_a_command_and_an_option_that_do_not_exist_are_found() -> None:
    assert exists("midden restore --from-archive ARCHIVE [--as-of TIME]")
    assert exists("midden --version")
    assert not exists("midden restore --as-off TIME")
    assert not exists("midden revive --target DB")


def test_every_key_of_the_report_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", REPORT))
    reports = reports_of("neotoma_core")
    assert {RecoveryReport, UnmergeReport, GuardReport} <= reports  # of different packages
    keys = set().union(*map(keys_of, (*reports, RowCounts)))
    assert keys - documented == set()


def reports_of(package: str) -> set[type[Any]]:
    """Return what is printed as JSON."""
    found = set()
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__"):
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
