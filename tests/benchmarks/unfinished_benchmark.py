"""What it costs to look for stores that did not finish.

Run by hand, from the repository: ``python -m tests.benchmarks.unfinished_benchmark [PAYLOADS]``.
Payloads of one item each, indented as over MCP; of one in seven a field was dropped, so that its
raw file has to be read, and one in a thousand was never stored. A machine shared with others makes
the wall clock noisy; ``cpu s`` says more. ``stores s`` is the step itself, in a check of all
snapshots.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.support.databases import make_database
from tests.support.payloads import Tables, note, send, together

PAYLOADS: Final = 100_000


def main() -> None:
    """Measure and print."""
    payloads = int(sys.argv[1]) if len(sys.argv) > 1 else PAYLOADS
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "data" / "neotoma.prod.db"
        raw = target.parent / "sources_prod"
        make_database(target, together(*(one(raw, number) for number in range(payloads))))
        os.sync()
        print(f"{payloads:<30,}{'wall s':>10}{'cpu s':>10}{'peak MB':>10}{'stores s':>10}")
        vault = ("--vault", str(Path(name) / "vault"), "--json")
        show("rebuild --check", "rebuild", "--check", "--target", str(target), *vault)
        show("status", "status", str(target), *vault)


def one(raw: Path, number: int) -> Tables:
    """Return the rows of one store."""
    item = note(f"note {number}", content=f"what was said, at some length, about {number}")
    more = {"odd": number} if number % 7 == 0 else {}
    lost = number % 1_000 == 999
    tables = send(raw, f"s{number}", [{**item, **more}], stored=[] if lost else None, indented=True)
    fields = f'{{"title":"{item["title"]}","content":"{item["content"]}"}}'
    return {
        **tables,
        "observations": [{**row, "fields": fields} for row in tables["observations"]],
    }


def show(title: str, *words: str) -> None:
    """Run a command and print what it took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "neotoma_core", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3
    step = report.get("seconds", {}).get("stores", float("nan"))
    print(f"{title:30}{wall:>10.2f}{cpu:>10.2f}{peak:>10.0f}{step:>10.2f}")
    found = report["unfinished"]
    print(
        f"  {found['payloads']:,} payloads, {len(found['never_stored']):,} never stored", flush=True
    )


if __name__ == "__main__":
    main()
