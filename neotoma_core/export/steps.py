"""Exporting as a step that may be repeated, for whoever schedules it."""

from datetime import datetime

from neotoma_core.export.export import export_database
from neotoma_core.export.report import ExportReport
from neotoma_core.export.request import ExportRequest, export_run
from neotoma_core.report.progress import Progress


def export_tables(request: ExportRequest, now: datetime, progress: Progress) -> ExportReport:
    """Export a database or an archive. Raises what ``export_database`` raises."""
    with export_run(request, now, progress) as exporting:
        return export_database(exporting, progress)
