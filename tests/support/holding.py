"""A database that another process is about to write to."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(f"BEGIN {sys.argv[2]}")
if sys.argv[2] == "EXCLUSIVE":
    connection.execute("UPDATE observations SET user_id = user_id")
print("ready", flush=True)
sys.stdin.readline()
"""


@contextmanager
def hold(database: Path, how: Literal["IMMEDIATE", "EXCLUSIVE"] = "IMMEDIATE") -> Iterator[None]:
    """Hold a transaction on ``database``; an exclusive one has written, and nobody reads."""
    command = [sys.executable, "-c", HOLDER, str(database), how]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.communicate("\n")
