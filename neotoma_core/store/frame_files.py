"""Frames in files: Arrow for the scratch of a run, Parquet for what is kept."""

from pathlib import Path

import polars as pl

from neotoma_core.store.atomic import install, sync_file, temporary_name


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame into the scratch of a run."""
    frame.write_ipc(path, compression="uncompressed")


def read_frame(path: Path) -> pl.DataFrame:
    """Read a frame from the scratch of a run."""
    return pl.read_ipc(path)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file atomically, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = temporary_name(path)
    try:
        frame.write_parquet(temporary)
        temporary.chmod(0o600)
        sync_file(temporary)
        install(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
