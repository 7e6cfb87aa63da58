"""The pages of documentation: the README and ``docs/``, with what tests read out of them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (README, *sorted(DOCS.glob("*.md")))


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in a language; commands are in ``sh``."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def command_lines(page: Path) -> list[str]:
    """Return the lines that a page gives to paste into a shell."""
    return [line for block in blocks(page, "sh") for line in block.splitlines()]


def find_commands(page: Path) -> Iterator[str]:
    """Yield what a page says that begins with ``midden``, in a sentence or to paste."""
    yield from re.findall(r"`(midden [^`\n]+)`", page.read_text())
    for line in command_lines(page):
        _, found, words = line.rpartition(".venv/bin/midden ")
        if found or line.startswith("midden "):
            yield f"midden {words.removeprefix('midden ')}"


def anchors(text: str) -> set[str]:
    """Return what a link may lead to within a page: its headings, as GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
