"""Flow: write the small files of an archive as fewer, sorted ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow

from neotoma_core.archive import steps as archive_steps
from neotoma_core.archive.compact import CompactRequest
from neotoma_core.settings.environment import default_archive_of
from pipelines.recording import RunLog, record_compaction
from pipelines.task_defaults import operation

compact = operation(archive_steps.compact_place).with_options(name="compact")


@flow(name="compact-archive", persist_result=False)
def compact_archive_flow(
    *, target: Path | None = None, archive: Path | None = None, retention_days: int = 7
) -> None:
    """Compact ``archive``, by default that of ``target``'s vault; old files stay for some days."""
    place = default_archive_of(target, archive)
    request = CompactRequest(place, timedelta(days=retention_days))
    record_compaction(compact(request, datetime.now(UTC), RunLog()))
