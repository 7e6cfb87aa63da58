"""``midden demo``: the incident, from the wiped database to the recovered one."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    *,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where to unpack the copies [default: a temporary folder]."),
    ] = None,
) -> None:
    """Recover a wiped database from bundled copies, as an example."""
    import tempfile

    from neotoma_core.cli.recovery.demo_files import unpack_story
    from neotoma_core.cli.recovery.recover import run_recovery
    from neotoma_core.recovery.run.request import RecoverRequest

    place = folder or Path(tempfile.mkdtemp(prefix="midden-demo-"))
    print(f"unpacking  the incident into {place}", flush=True)
    story = unpack_story(place)
    print("wiped      someone ran reset against production: what is left is in the first column")
    backups = " ".join(f'--backup "{backup}"' for backup in story.backups)
    print(f"running    midden recover --target {story.target} {backups}", flush=True)
    request = RecoverRequest(story.target, story.backups, story.vault, archived=True)
    run_recovery(request, dry_run=False, yes=True, json=False)
    print(f"look around {place} (delete it when you are done)")
