"""Running rebuilds in tests, with a vault of the test's own."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from neotoma_core.rebuild.as_of import Export, export_snapshots
from neotoma_core.rebuild.rebuild import check_snapshots, rebuild_snapshots
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.request import RebuildRequest, checking_run, rebuild_run
from neotoma_core.report.progress import Silent
from tests.conftest import NOW


def request_of(target: Path, **options: object) -> RebuildRequest:
    return RebuildRequest(target, target.parent / "vault", **options)  # type: ignore[arg-type]  # a test's own keywords


def check(target: Path, **options: object) -> RebuildReport:
    with checking_run(request_of(target, **options), NOW) as run:
        return check_snapshots(run, Silent())


def rebuild(
    target: Path, confirm: Callable[[RebuildReport], bool] = lambda _: True, **options: object
) -> RebuildReport:
    with rebuild_run(request_of(target, **options), NOW) as run:
        return rebuild_snapshots(run, confirm, Silent())


def export(
    target: Path,
    out: Path,
    as_of: str | None = None,
    knowledge: str | None = None,
    **options: object,
) -> RebuildReport:
    with checking_run(request_of(target, **options), NOW) as run:
        return export_snapshots(run, Export(out, as_of, knowledge), Silent())


def drift_of(report: RebuildReport) -> set[tuple[str, str]]:
    """Return the (kind, id) of every snapshot that drifted."""
    return {(item.kind, item.id) for item in report.drifted}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def snapshot_of(path: Path, entity_id: str) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT snapshot FROM entity_snapshots WHERE entity_id = ?", (entity_id,)
        ).fetchone()
    return str(row[0]) if row else None


def rowids(path: Path) -> dict[str, int]:
    """Return where each entity snapshot lies: a row that is written again moves."""
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT entity_id, rowid FROM entity_snapshots").fetchall())
