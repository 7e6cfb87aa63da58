"""How long pushing takes: ``python -m tests.benchmarks.remote_benchmark [ROWS]``.

Rows are observations; 0 is the incident, with its raw files. Each step is a process of its own, as
a user's is: seconds from its start to its end, seconds of processors, bytes of objects that were
sent and received, requests, and the most memory it took. To a folder, to S3 (SeaweedFS) and to a
second machine (sshd), all on loopback.
"""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from neotoma_core.stores.opening import open_store
from neotoma_core.stores.store import StoreOptions
from neotoma_core.stores.wrapped import Counted
from tests.benchmarks.archive_benchmark import ADD_NEW
from tests.benchmarks.invented_databases import make_database
from tests.conftest import FIXTURES
from tests.support.remotes import Machine, machine_in
from tests.support.seaweed import BUCKET, OWNER, REGION, seaweed
from tests.support.sshd import sshd

STEPS: Final = ("first push", "nothing new", "1 % new", "restore")
_NAMES: Final = ("", "seconds", "processor", "sent MB", "received MB", "requests", "peak MB")


def main() -> None:
    """Measure each step to each store, in turn."""
    if len(sys.argv) > 2:
        carry_out(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="midden-benchmark-") as name, ExitStack() as held:
        folder = Path(name)
        template = folder / "template"
        database = make_template(template, rows)
        size = database.stat().st_size / 1e6
        print(f"{rows:,} observations, {size:,.0f} MB" if rows else "the incident")
        print(f"{_NAMES[0]:<28}" + "".join(f"{title:>13}" for title in _NAMES[1:]))
        for kind, url, endpoint in places(folder, held):
            machine = folder / kind
            shutil.copytree(template, machine)
            for step in STEPS:
                if step == "1 % new":
                    add_new(machine / database.name)
                print(f"{kind + ', ' + step:<28}" + measure(step, machine, url, endpoint))


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


def places(folder: Path, held: ExitStack) -> Iterator[tuple[str, str, str]]:
    """Yield a store of each kind: what it is called, its address, its endpoint."""
    (folder / "disk").mkdir()
    yield "folder", (folder / "disk").as_uri(), ""
    (folder / "seaweed").mkdir()
    server = held.enter_context(seaweed(folder / "seaweed"))
    os.environ |= {"AWS_ACCESS_KEY_ID": OWNER[0], "AWS_SECRET_ACCESS_KEY": OWNER[1]}
    os.environ["AWS_METADATA_ENDPOINT"] = "http://127.0.0.1:9"
    yield "s3", f"s3://{BUCKET}/benchmark", server.endpoint
    (folder / "sshd").mkdir()
    second = held.enter_context(sshd(folder / "sshd"))
    os.environ["HOME"] = str(second.home)
    (second.folder / "disk").mkdir()
    yield "sftp", second.url(quote(str(second.folder / "disk"))), ""


def add_new(database: Path) -> None:
    """Add one observation for every hundred that are there."""
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM observations").fetchone()
        connection.execute(ADD_NEW, (max(rows // 100, 1),))
        connection.commit()


def measure(step: str, folder: Path, url: str, endpoint: str) -> str:
    """Carry out one step in a process of its own, and return what it took."""
    module = "tests.benchmarks.remote_benchmark"
    command = [sys.executable, "-m", module, step, str(folder), url, endpoint]
    before = time.monotonic()
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.monotonic() - before
    took = json.loads(ended.stdout.splitlines()[-1])
    cells = (
        f"{seconds:.1f}",
        f"{took['processor']:.1f}",
        f"{took['sent'] / 1e6:,.1f}",
        f"{took['received'] / 1e6:,.1f}",
        f"{took['requests']:,}",
        f"{took['peak']:,.0f}",
    )
    return "".join(f"{cell:>13}" for cell in cells)


def carry_out(step: str, folder: Path, url: str, endpoint: str) -> None:
    """Carry out one step and print what it took."""
    options = StoreOptions(endpoint or None, REGION if endpoint else None)
    store = Counted(open_store(url, options))
    if step == "first push":
        machine = Machine(folder, url, folder / "neotoma.db", around=store)
        machine.add()
        store.traffic = type(store.traffic)()
    else:
        machine = machine_in(folder)
        machine.around = store
    machine.now = datetime.now(UTC)
    if step == "restore":
        machine.restore(folder / "back" / "neotoma.db")
    else:
        machine.push()
    used = resource.getrusage(resource.RUSAGE_SELF)
    traffic = store.traffic
    store.close()
    print(
        json.dumps(
            {
                "processor": used.ru_utime + used.ru_stime,
                "sent": traffic.sent,
                "received": traffic.received,
                "requests": traffic.requests,
                "peak": used.ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
