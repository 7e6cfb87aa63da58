"""Plain words in what is read: none of the habits that make a reader stop and read again."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import commands, help_of
from tests.pages import PAGES, ROOT

TEXTS = {page.name: page.read_text() for page in PAGES} | {
    words: help_of(command, words, columns=10_000) for words, command in commands()
}
PACKAGES = sorted(
    {
        module.parent
        for top in ("neotoma_core", "pipelines")
        for module in (ROOT / top).rglob("*.py")
    }
)
FOLDERS = sorted({file.parent for file in (ROOT / "tests").rglob("*.py")})
SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|WITH|ATTACH)\b")
HABITS = re.compile(
    r"(?<!there )\b(?:is|are|was|were|be) no (?!longer\b|more\b)[a-z]"  # "is not a", or "invalid"
    r"|(?<!there )\b(?:is|are|was|were) (?-i:none)\b"  # None is a value of Python's
    r"|\bof (?:whom|which)\b"
    r"|\b(?:in earnest|altogether|anew|soundest|whatever it is called|wins? over later)\b"
    r"|\bamong equals\b|\bcannot hurt\b|\bwhat is not ours\b|\btold to\b"
    r"|\b(?:was|are|is|be) told\b(?! apart)"
    r"|\bby other ways\b|\bworst hour\b|\bnobody (?:foresaw|else has)\b|\bas everybody's\b"
    r"|\bso long, as\b|\bis right\b|\bcalled so\b|\bthe next time is boring\b|\bWithout anybody\b"
    r"|\bthrown away\b|\bwithout, only\b|\blet go of\b|\bbeside (?:it|them|what|the|a)\b",
    re.IGNORECASE,
)


def habits(text: str) -> Iterator[str]:
    """Yield each passage of a text that should be said more plainly, with what is around it."""
    for found in HABITS.finditer(" ".join(text.split())):
        yield found.string[max(0, found.start() - 30) : found.end() + 30]


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_user_reads_is_in_plain_words(name: str) -> None:
    assert list(habits(TEXTS[name])) == []


def comments(text: str) -> Iterator[str]:
    """Yield the comments of a module, lines that go on as one."""
    lines: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != last + 1:
            yield " ".join(lines)
            lines = []
        lines.append(token.string.lstrip("# "))
        last = token.start[0]
    if lines:
        yield " ".join(lines)


def docstrings(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if (
                text := ast.get_docstring(node)
            ):
                yield text


def texts(module: ast.Module) -> Iterator[str]:
    """Yield the docstrings of a module, and its other texts of more than three words, but no SQL.

    What is put into a text, as into a message, counts as one word.
    """
    parts = {
        part for node in ast.walk(module) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(text)) if node not in parts:
                pass
            case ast.JoinedStr(values=values):
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "that" for part in values
                )
            case _:
                continue
        if len(text.split()) > 3 and not SQL.match(text):
            yield text


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_and_messages_are_in_plain_words(package: Path) -> None:
    found = [
        f"{module.name}: {passage}"
        for module in sorted(package.glob("*.py"))
        for text in (*texts(ast.parse(module.read_text())), *comments(module.read_text()))
        for passage in habits(text)
    ]
    assert found == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_and_comments_of_tests_are_in_plain_words(folder: Path) -> None:
    found = [
        f"{file.name}: {passage}"
        for file in sorted(folder.glob("*.py"))
        if file != Path(__file__)  # it quotes them
        for text in (*docstrings(ast.parse(file.read_text())), *comments(file.read_text()))
        for passage in habits(text)
    ]
    assert found == []


def test_a_riddle_is_found() -> None:
    assert len(list(habits("This is no error of\nwhich you were told."))) >= 2
    assert list(habits("There is no vault; it is not an error, and is no longer there.")) == []
    assert list(habits("None where there is none.")) == []


def test_docstrings_and_messages_are_looked_at() -> None:
    module = ast.parse(
        "'''What holds a few words.'''\n"
        "say(f'{name} is no {kind}; name another', 'short', f'SELECT {a} FROM b WHERE c')\n"
    )
    assert list(texts(module)) == [
        "What holds a few words.",
        "that is no that; name another",
    ]


def test_comments_are_looked_at_line_by_line_and_as_a_whole() -> None:
    text = "a = 1  # What is no\n# number.\n\nb = '# not one'\n# Another.\n"
    assert list(comments(text)) == ["What is no number.", "Another."]
    assert len(list(habits(next(comments(text))))) == 1
    assert list(docstrings(ast.parse('def f():\n    "Says."\n    "Not one."\n'))) == ["Says."]
