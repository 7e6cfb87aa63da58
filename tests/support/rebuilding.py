"""Running rebuilds in tests, with a vault of the test's own."""

from collections.abc import Callable
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
