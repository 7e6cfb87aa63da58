"""Rules of the house that a linter cannot see."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    heavy = ("polars", "pyarrow", "duckdb", "deltalake", "pandera", "prefect", "rich")
    code = (
        "import sys; import neotoma_core.cli.app, neotoma_core.settings.environment; "
        f"print([name for name in {heavy!r} if name in sys.modules]); "
        "import neotoma_core.push.push; "
        f"print([name for name in {heavy[2:]!r} if name in sys.modules])"
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
