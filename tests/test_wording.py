"""Plain words in what a user reads: none of the habits that make a reader stop and read again."""

import re
from collections.abc import Iterator

import pytest

from tests.command_line import commands, help_of
from tests.pages import PAGES

TEXTS = {page.name: page.read_text() for page in PAGES} | {
    words: help_of(command, words, columns=10_000) for words, command in commands()
}
HABITS = re.compile(
    r"(?<!there )\b(?:is|are|was|were|be) no [a-z]"  # say "is not a", or "invalid"
    r"|\bof (?:whom|which)\b"
    r"|\b(?:in earnest|altogether|anew|soundest|whatever it is called|wins? over later)\b"
    r"|\bamong equals\b|\bcannot hurt\b|\bwhat is not ours\b|\btold to\b|\b(?:was|are|is) told\b"
    r"|\bby other ways\b|\bworst hour\b|\bnobody (?:foresaw|else has)\b|\bas everybody's\b"
    r"|\bso long, as\b|\bis right\b|\bcalled so\b|\bthe next time is boring\b|\bWithout anybody\b"
    r"|\bthrown away\b|\bwithout, only\b|\blet go of\b|\bbeside (?:it|them|what)\b",
    re.IGNORECASE,
)


def habits(text: str) -> Iterator[str]:
    """Yield each passage of a text that should be said more plainly, with what is around it."""
    for found in HABITS.finditer(" ".join(text.split())):
        yield found.string[max(0, found.start() - 30) : found.end() + 30]


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_user_reads_is_in_plain_words(name: str) -> None:
    assert list(habits(TEXTS[name])) == []


def test_a_riddle_is_found() -> None:
    assert len(list(habits("This is no error of\nwhich you were told."))) >= 2
    assert list(habits("There is no vault; it is not an error.")) == []
