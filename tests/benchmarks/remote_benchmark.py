"""How long pushing takes: ``python -m tests.benchmarks.remote_benchmark [ROWS] [STORE…]``.

Rows are observations; 0 is the incident, with its raw files. Stores: folder, s3 (SeaweedFS), sftp
(sshd), all on loopback; all three by default. Each step is a process of its own, and a push is the
command that a user gives: seconds from its start to its end, seconds of processors, bytes of
objects that were sent and received, requests, and the most memory it took. Of pushes that can be
repeated, the median of three.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import quote

from tests.benchmarks.archive_benchmark import ADD_NEW
from tests.benchmarks.invented_databases import make_database
from tests.conftest import FIXTURES
from tests.support.seaweed import BUCKET, OWNER, seaweed
from tests.support.sshd import sshd

STEPS: Final = ("first push", "nothing new", "1 % new", "restore")
_REPEATED: Final = ("nothing new", "1 % new")
_TIMES: Final = 3
_NAMES: Final = ("", "seconds", "processor", "sent MB", "received MB", "requests", "peak MB")


def main() -> None:
    """Measure each step to each store, in turn."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="midden-benchmark-") as name, ExitStack() as held:
        folder = Path(name)
        template = folder / "template"
        database = make_template(template, rows)
        size = database.stat().st_size / 1e6
        print(f"{rows:,} observations, {size:,.0f} MB" if rows else "the incident")
        print(f"{_NAMES[0]:<28}" + "".join(f"{title:>13}" for title in _NAMES[1:]))
        for kind, url, endpoint in places(folder, held, sys.argv[2:]):
            machine = folder / kind
            shutil.copytree(template, machine)
            for step in STEPS:
                found = []
                for number in range(_TIMES if step in _REPEATED else 1):
                    if step == "1 % new":
                        add_new(machine / database.name, number)
                    found.append(measure(step, machine, url, endpoint))
                middle = [median(figures) for figures in zip(*found, strict=True)]
                print(f"{kind + ', ' + step:<28}" + show(middle), flush=True)


def make_template(folder: Path, rows: int) -> Path:
    """Make a machine's folder: with the incident, or an invented database."""
    folder.mkdir()
    if rows:
        return make_database(folder / "neotoma.db", rows)
    with tarfile.open(FIXTURES / "incident.tar.xz") as bundle:
        bundle.extractall(folder / "bundle", filter="data")
    place = folder / "bundle" / "incident" / "backups"
    shutil.copyfile(place / "neotoma.prod.db.db", folder / "neotoma.db")
    raw = next(folder.glob("bundle/incident/data/sources_prod"), None)
    if raw is not None:
        shutil.move(raw, folder / "sources")
    shutil.rmtree(folder / "bundle")
    return folder / "neotoma.db"


def places(folder: Path, held: ExitStack, wanted: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield a store of each kind wanted: what it is called, its address, its endpoint."""
    if not wanted or "folder" in wanted:
        (folder / "disk").mkdir()
        yield "folder", (folder / "disk").as_uri(), ""
    if not wanted or "s3" in wanted:
        (folder / "seaweed").mkdir()
        server = held.enter_context(seaweed(folder / "seaweed"))
        os.environ |= {"AWS_ACCESS_KEY_ID": OWNER[0], "AWS_SECRET_ACCESS_KEY": OWNER[1]}
        os.environ["AWS_METADATA_ENDPOINT"] = "http://127.0.0.1:9"
        yield "s3", f"s3://{BUCKET}/benchmark", server.endpoint
    if not wanted or "sftp" in wanted:
        (folder / "sshd").mkdir()
        second = held.enter_context(sshd(folder / "sshd"))
        os.environ["HOME"] = str(second.home)
        (second.folder / "disk").mkdir()
        yield "sftp", second.url(quote(str(second.folder / "disk"))), ""


def add_new(database: Path, number: int) -> None:
    """Add one observation for every hundred that are there; ``number``: of the time."""
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM observations").fetchone()
        statement = ADD_NEW.replace("new-", f"new-{number}-")
        connection.execute(statement, (max(rows // 100, 1),))
        connection.commit()


def measure(step: str, folder: Path, url: str, endpoint: str) -> tuple[float, ...]:
    """Carry out one step in a process of its own, and return what it took."""
    module = "tests.benchmarks.remote_step"
    command = [sys.executable, "-m", module, step, str(folder), url, endpoint]
    before = time.monotonic()
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.monotonic() - before
    took = json.loads(ended.stdout.splitlines()[-1])
    return seconds, *(took[name] for name in ("processor", "sent", "received", "requests", "peak"))


def show(figures: Sequence[float]) -> str:
    """Return the figures of a step as cells of a table."""
    seconds, processor, sent, received, requests, peak = figures
    cells = (
        f"{seconds:.1f}",
        f"{processor:.1f}",
        f"{sent / 1e6:,.1f}",
        f"{received / 1e6:,.1f}",
        f"{requests:,.0f}",
        f"{peak:,.0f}",
    )
    return "".join(f"{cell:>13}" for cell in cells)


if __name__ == "__main__":
    main()
