"""``midden verify``: prove that what is kept is what was kept."""

from pathlib import Path
from typing import Annotated, Final

import typer

from neotoma_core.cli.options import JSON_OPTION

DAMAGED: Final = 27


def verify(
    *,
    archive: Annotated[Path, typer.Option(help="The folder of an archive.", show_default=False)],
    json: Annotated[bool, JSON_OPTION] = False,
) -> int:
    """Read every file of an archive and hash every row anew; exit with 27 where one is damaged."""
    from neotoma_core.cli.progress import TerminalProgress
    from neotoma_core.ops.verify_archive import verify_archive
    from neotoma_core.report.archive_verification import verification_text

    with TerminalProgress() as progress:
        report = verify_archive(archive, progress)
        progress.pause()
    print(report.to_json() if json else verification_text(report))
    return DAMAGED if report.findings else 0
