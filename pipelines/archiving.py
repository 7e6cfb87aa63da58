"""Flow: append what is new in a database to its archive."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from neotoma_core.archive import steps as archive_steps
from neotoma_core.archive.append import ArchiveRequest
from neotoma_core.settings.environment import default_archive_of, default_vault
from pipelines.recording import RunLog, record_archive
from pipelines.task_defaults import operation

append = operation(archive_steps.archive_target).with_options(name="append")


@flow(name="archive-database", persist_result=False)
def archive_database(*, target: Path, to: Path | None = None, vault: Path | None = None) -> None:
    """Append what is new in ``target`` to the archive ``to``, by default that of its vault."""
    kept = vault or default_vault(target)
    request = ArchiveRequest(to or default_archive_of(target, None, kept))
    record_archive(append(target, kept, request, datetime.now(UTC), RunLog()))
