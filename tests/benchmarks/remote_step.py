"""One step of ``remote_benchmark``, as the process that a command of a user is."""

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core import cli
from neotoma_core.stores import opening
from neotoma_core.stores.store import Store, StoreOptions
from neotoma_core.stores.wrapped import Counted

_REGION: Final = "us-east-1"


def main() -> None:
    """Carry out one step and print what it took."""
    step, folder, url, endpoint = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    real, opened = opening.open_store, list[Counted]()

    given = StoreOptions(endpoint or None, _REGION if endpoint else None)

    def count_requests(url: str, options: StoreOptions = given) -> Store:
        opened.append(Counted(real(url, given or options)))
        return opened[-1]

    if step == "first push":
        add(folder, url, count_requests(url))
    if step == "restore":
        restore(folder, count_requests(url))
    else:
        opening.open_store = count_requests
        push(folder)
    spent, traffic = os.times(), opened[-1].traffic
    took = {
        "processor": spent.user + spent.system,
        "sent": traffic.sent,
        "received": traffic.received,
        "requests": traffic.requests,
        "peak": peak(),
    }
    print(json.dumps(took))


def push(folder: Path) -> None:
    """Give the command."""
    where = ["--target", str(folder / "neotoma.db"), "--vault", str(folder / "vault")]
    sys.argv = ["midden", "push", *where]
    with suppress(SystemExit):
        cli.main()


def add(folder: Path, url: str, store: Store) -> None:
    """Add the remote."""
    from tests.support.remotes import Machine  # noqa: PLC0415 - no push needs it

    Machine(folder, url, folder / "neotoma.db", around=store).add()


def restore(folder: Path, store: Store) -> None:
    """Bring the database back from the remote."""
    from tests.support.remotes import machine_in  # noqa: PLC0415 - no push needs it

    machine = machine_in(folder)
    machine.around, machine.now = store, datetime.now(UTC)
    machine.restore(folder / "back" / "neotoma.db")


def peak() -> float:
    """Return the most memory this process had, in MB; what it was begun by does not count."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024


if __name__ == "__main__":
    main()
