"""What goes wrong with single databases of a fleet, planted: damaged, locked, full, gone."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.backing_up import Vault

_MORE_THAN_ANY_DISK = 1 << 43


def damage(world: Vault) -> None:
    """Overwrite what lies behind the first page of a database."""
    size = world.target.stat().st_size
    with world.target.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


def fill_disk(world: Vault) -> None:
    """Let a database be larger than what is free, by a hole; it takes no room itself."""
    os.truncate(world.target, _MORE_THAN_ANY_DISK)


def unplug(world: Vault) -> Path:
    """Take a vault away, as a disk that is not connected; return where it is."""
    return world.vault.rename(world.vault.with_name("unplugged"))


@contextmanager
def lock(world: Vault) -> Iterator[None]:
    """Keep a database locked while the block runs, as another program does."""
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield
