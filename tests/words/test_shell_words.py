"""Printed commands: pasted into a shell, they mean what was printed."""

import os
import subprocess

from neotoma_core.words.shell_words import quote_word, quote_words
from tests.support.nasty_names import ALL_BYTES, ALL_TEXT, NAMES


def test_a_shell_reads_every_name_back_from_words_that_can_be_printed() -> None:
    names = ["", "plain", *NAMES.values(), ALL_TEXT, ALL_BYTES]
    line = quote_words(*names)
    assert line.isprintable()
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    assert read.stdout.split(b"\0")[:-1] == [os.fsencode(name) for name in names]


def test_what_needs_no_quotes_has_none() -> None:
    assert quote_word("/data/neotoma.prod.db") == "/data/neotoma.prod.db"
    assert quote_word("\ud800") == "$'\\355\\240\\200'"
