"""Drills of a backup with something planted in what comes back."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from neotoma_core.backup.drills.drill import DrillRules
from neotoma_core.backup.report import DrillSummary
from neotoma_core.files.atomic import Subject, observe_with_subject
from neotoma_core.vault.backups import write_manifest
from neotoma_core.vault.manifests import Manifest
from tests.proofs.planting import schema_writable
from tests.support.backing_up import Vault

RESTORED = "copy_restored"


def drill_once(world: Vault, rules: DrillRules | None = None) -> DrillSummary:
    (drill,) = world.verify(rules=rules).drills
    assert drill.drifted == 0 or drill.level == "recomputed"
    assert world.backups[0].state.is_verified == (drill.outcome == "pass")
    return drill


Plant = Callable[[sqlite3.Connection], None]


@contextmanager
def plant_while_restoring(plant: Plant) -> Iterator[None]:
    """Plant a fault in the copy that the drill inside the block restores."""
    times = 0

    def observe(step: str, subject: Subject) -> None:
        nonlocal times
        if step == RESTORED:
            assert isinstance(subject, Path)
            with closing(sqlite3.connect(subject, isolation_level=None)) as connection:
                plant(connection)
            times += 1

    with observe_with_subject(observe):
        yield
    assert times == 1


def statement(sql: str) -> Plant:
    """Return the fault of one statement, which changes something."""

    def plant(connection: sqlite3.Connection) -> None:
        assert connection.execute(sql).rowcount != 0

    return plant


def lacking_a_row(connection: sqlite3.Connection) -> None:
    """Let an index lack the rows that its table has: no page is damaged."""
    index = "CREATE INDEX planted ON observations (user_id)"
    with schema_writable(connection):
        connection.execute(f"{index} WHERE 0")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'planted'", (index,))


def with_manifest(world: Vault, manifest: Manifest) -> None:
    """Put another manifest, whole in itself, in the place of the backup's."""
    write_manifest(world.place(), manifest, world.backups[0].state)
