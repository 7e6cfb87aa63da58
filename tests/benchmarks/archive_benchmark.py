"""How long archiving and exporting take: ``python -m tests.benchmarks.archive_benchmark [ROWS]``.

Rows are observations; there are half as many entities. Prints a table: seconds, and the most
memory a run took. Runs are processes of their own, as a user's are.
"""

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from tests.benchmarks.invented_databases import make_database

DEFAULT_ROWS: Final = 1_000_000
ADD_NEW: Final = (
    "INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, fields, "
    "created_at, user_id) SELECT 'new-' || id, entity_id, entity_type, schema_version, "
    "observed_at, fields, created_at, user_id FROM observations LIMIT ?"
)


def main() -> None:
    """Measure each command in turn."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_ROWS
    with tempfile.TemporaryDirectory(prefix="midden-benchmark-") as name:
        folder = Path(name)
        database = make_database(folder / "neotoma.db", rows)
        place = folder / "vault" / "archive"
        common = ("--target", database, "--vault", folder / "vault")
        print(f"{rows:,} observations, {database.stat().st_size / 1e6:,.0f} MB")
        print(f"{'':<34}{'seconds':>9}{'peak MB':>9}")
        measure("archive, everything new", "archive", *common)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(ADD_NEW, (rows // 100,))
            connection.commit()
        measure("archive, 1 % new", "archive", *common)
        measure("archive, nothing new", "archive", *common)
        measure("verify --archive", "verify", "--archive", place)
        measure("compact --apply", "compact", "--archive", place, "--apply")
        measure("export --target", "export", *common, "--to", folder / "one")
        vault = ("--vault", folder / "vault")
        measure("export --archive", "export", "--archive", place, *vault, "--to", folder / "two")
        lost = ("--target", folder / "lost.db", *vault, "--yes")
        measure("restore --from-archive", "restore", "--from-archive", place, *lost)


def measure(title: str, *words: str | Path) -> None:
    """Run one command and print what it took."""
    before = time.monotonic()
    command = [sys.executable, "-m", "neotoma_core", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of all so far
    print(f"{title:<34}{seconds:>9.1f}{peak:>9,.0f}", flush=True)


if __name__ == "__main__":
    main()
