"""What an archive on a store costs: ``python -m tests.benchmarks.on_store_benchmark [ROWS]``.

Rows are observations; there are half as many entities. The store is SeaweedFS on loopback. Each
step is a process of its own: seconds from its start to its end, requests, bytes of objects sent and
received, and the most memory it took.
"""

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.archive.compact import CompactRequest
from neotoma_core.archive.compact_on_store import compact_on_store
from neotoma_core.archive.on_store import archive_to_store
from neotoma_core.archive_mirror.bringing import bring_archive, strange_objects
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.files.scratch import private_scratch
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.stores.opening import hold_store
from neotoma_core.stores.store import StoreOptions
from neotoma_core.stores.wrapped import Counted
from tests.benchmarks.archive_benchmark import ADD_NEW, DEFAULT_ROWS
from tests.benchmarks.invented_databases import make_database
from tests.support.seaweed import BUCKET, OWNER, seaweed

_URL: Final = f"s3://{BUCKET}/archive"
_NAMES: Final = ("", "seconds", "requests", "sent MB", "received MB", "peak MB")


def main() -> None:
    """Measure each step in turn."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_ROWS
    with tempfile.TemporaryDirectory(prefix="midden-benchmark-") as name:
        folder = Path(name)
        database = folder / "neotoma.db"
        # In a process apart: the most memory of a process is also that of one which it starts.
        with ProcessPoolExecutor(1) as pool:
            pool.submit(make_database, database, rows).result()
        print(f"{rows:,} observations, {database.stat().st_size / 1e6:,.0f} MB")
        print(f"{_NAMES[0]:<32}" + "".join(f"{title:>13}" for title in _NAMES[1:]))
        (folder / "seaweed").mkdir()
        with seaweed(folder / "seaweed") as server:
            common = (server.endpoint, str(folder))
            measure("archive, everything new", "archive", *common, "one")
            measure("archive, nothing new", "archive", *common, "one")
            with closing(sqlite3.connect(database)) as connection:
                connection.execute(ADD_NEW, (rows // 100,))
                connection.commit()
            measure("archive, 1 % new", "archive", *common, "one")
            measure("archive, from another machine", "archive", *common, "two")
            measure("verify --archive", "verify", *common, "")
            measure("compact --apply", "compact", *common, "")


def measure(title: str, *words: str) -> None:
    """Run one step as a process of its own, and print what it took."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": OWNER[0],
        "AWS_SECRET_ACCESS_KEY": OWNER[1],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = time.monotonic()
    command = [sys.executable, "-m", "tests.benchmarks.on_store_benchmark", "step", *words]
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - before
    print(f"{title:<32}{seconds:>13.1f}{done.stdout.rstrip()}", flush=True)


def step(what: str, endpoint: str, place: str, machine: str) -> None:
    """Do one step, and print the rest of its line."""
    folder, now = Path(place), datetime.fromtimestamp(time.time(), UTC)
    with (
        hold_store(_URL, StoreOptions(endpoint)) as store,
        private_scratch() as scratch,
    ):
        counted = Counted(store)
        if what == "archive":
            asked = Whereabouts(folder / "neotoma.db", folder / machine)
            archive_to_store(asked, counted, now, Silent())
        elif what == "verify":
            with bring_archive(counted, scratch, Silent()) as synced:
                report = verify_archive(synced.mirror.folder, Silent(), strange_objects(synced))
            assert report.outcome == "verified"
        else:
            request = CompactRequest(Path())
            compact_on_store(counted, request, scratch, now, Silent())
    traffic = counted.traffic
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sent, received = traffic.sent / 1e6, traffic.received / 1e6
    print(f"{traffic.requests:>13,}{sent:>13,.1f}{received:>13,.1f}{peak:>13,.0f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["step"]:
        step(*sys.argv[2:])
    else:
        main()
