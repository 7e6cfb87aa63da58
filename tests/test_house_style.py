"""Rules of the house that a linter cannot see."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONG

ROOT = Path(__file__).parent.parent
MODULES = sorted(p for top in ("neotoma_core", "pipelines") for p in (ROOT / top).rglob("*.py"))
GRAB_BAGS = {"utils", "util", "helpers", "common", "misc", "tools", "base"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_says_what_lives_in_it_and_has_short_functions(module: Path) -> None:
    text = module.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert text.count("\n") <= 300
    assert module.stem not in GRAB_BAGS
    long = [f.name for f in functions(tree) if (f.end_lineno or 0) - f.lineno >= 80]
    assert long == []


PACKAGES = sorted({module.parent for module in MODULES})


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_is_small_and_says_what_lives_in_it(package: Path) -> None:
    assert ast.get_docstring(ast.parse((package / "__init__.py").read_text()))
    assert len(list(package.glob("*.py"))) <= 15


TESTS = sorted((ROOT / "tests").rglob("*.py"))
# What is tested through many packages at once, and what tests share.
ACROSS = {
    *("benchmarks", "conformance", "crash", "faults", "flows"),
    *("forks", "page", "people", "proofs", "support"),
}


def test_a_file_of_tests_is_short() -> None:
    lengths = {str(file.relative_to(ROOT)): file.read_text().count("\n") for file in TESTS}
    assert {name: lines for name, lines in lengths.items() if lines > 300} == {}


def test_folders_of_tests_are_packages() -> None:
    packages = {package.name for package in (ROOT / "neotoma_core").iterdir()}
    folders = {file.parent.name for file in TESTS if file.parent != ROOT / "tests"}
    assert folders - packages == ACROSS


# Participles of verbs that are not regular; those that are verbs as they stand do not count.
IRREGULAR = re.compile(
    r"begun|bought|broken|brought|built|caught|chosen|done|drawn|driven|fed|"
    r"found|given|gone|held|hidden|kept|known|left|lost|made|meant|paid|"
    r"said|seen|sent|shown|sold|stolen|stood|taken|told|understood|won|"
    r"written"
)
NO_PARTICIPLES = frozenset(
    {"embed", "exceed", "feed", "need", "proceed", "seaweed", "seed", "shed"}
)


def is_participle(name: str) -> bool:
    word = name.strip("_")
    return bool(IRREGULAR.fullmatch(word)) or (
        word.endswith("ed") and "_" not in word and word not in NO_PARTICIPLES
    )


def test_what_is_tested_first_is_there() -> None:
    assert [name for name in LONG if not (ROOT / "tests" / name).exists()] == []


@pytest.mark.parametrize("top", ["neotoma_core", "pipelines", "tests"])
def test_no_function_is_called_by_a_participle(top: str) -> None:
    """A function is a verb; a property or a fixture is what it returns."""
    found = [
        f"{module.relative_to(ROOT)}: {function.name}"
        for module in (*MODULES, *TESTS)
        if module.relative_to(ROOT).parts[0] == top
        for function in functions(ast.parse(module.read_text()))
        if is_participle(function.name)
        and not any(
            word in ast.unparse(decorator)
            for decorator in function.decorator_list
            for word in ("property", "fixture")
        )
    ]
    assert found == []


def test_a_participle_is_told_from_a_verb() -> None:
    assert [
        name for name in ("_kept", "merged", "seed", "merge", "find_lost") if is_participle(name)
    ] == [
        "_kept",
        "merged",
    ]


VAULT = ("backups", "blobs", "evidence", "quarantine", "reports", "work")
BESIDE = ("-wal", "-journal", "-shm")


def test_the_folders_of_a_vault_and_what_lies_beside_a_database_are_named_in_one_place() -> None:
    """Elsewhere such a word is something else: a label, a table's name, a kind of backup."""
    found = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                found |= {(word, module.name) for word in _texts(node.right) & {*VAULT}}
            if isinstance(node, ast.Call | ast.Assign | ast.AnnAssign | ast.For | ast.Compare):
                found |= {(word, module.name) for word in _texts(node) & {*BESIDE}}
    assert found == {*((word, "headers.py") for word in BESIDE), ("backups", "demo_files.py")}


def _texts(node: ast.AST) -> set[str]:
    return {
        inner.value
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    }


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = ("polars", "pyarrow", "deltalake", "rich", "duckdb", "pandera", "prefect")
    code = (
        "import sys; import neotoma_core.cli.app, neotoma_core.settings.environment; "
        f"print([name for name in {heavy!r} if name in sys.modules]); "
        "import neotoma_core.push.push; "
        f"print([name for name in {heavy[4:]!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n", "the second: a push that may have nothing new"


def test_a_recovery_does_not_import_prefect() -> None:
    code = (
        "import sys; import neotoma_core.recovery.recover; import neotoma_core.restore.restore; "
        "print('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
