"""Checks of what a database and its vault need around them; nothing is written."""

import os
import platform
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

import orjson

from neotoma_core.doctor.places import network_type, synced_by
from neotoma_core.doctor.report import Check
from neotoma_core.files.headers import LOG
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.vault.folder import free_bytes
from neotoma_core.words.shell_words import quote_words

_COPIES: Final = 4  # times the database: what a backup needs while it is proven
_LARGE_LOG: Final = 64 << 20
_MOUNTS: Final = Path("/proc/self/mounts")
_PATIENCE_SECONDS: Final = 10
_READABLE: Final = stat.S_IRGRP | stat.S_IROTH


def check_versions() -> Iterator[Check]:
    """Say which versions take part: of midden, Python, SQLite, Node and Neotoma."""
    ours = f"midden {version('midden')}, Python {platform.python_version()}"
    yield Check("versions", "ok", f"{ours}, SQLite {sqlite3.sqlite_version}")
    node, neotoma = _node_version(), _neotoma_version()
    said = f"Neotoma {neotoma or 'is not on the PATH'}, Node {node or 'is not on the PATH'}"
    yield Check("neotoma", "ok", said)


def _node_version() -> str | None:
    program = shutil.which("node")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the program of that name
            [program, "--version"],
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() or None


def _neotoma_version() -> str | None:
    """Return what the package of the ``neotoma`` on the PATH says; it is not run."""
    program = shutil.which("neotoma")
    for folder in Path(program).resolve().parents if program else ():
        try:
            package = orjson.loads(read_small(folder / "package.json"))
        except (OSError, ValueError):
            continue
        if isinstance(package, dict) and package.get("name") == "neotoma":
            return str(package.get("version"))
    return None


def check_database(target: Path) -> Iterator[Check]:
    """Check that a database is there, who can read it, where it lies, and how large its log is."""
    if not target.is_file():
        fix = quote_words("midden", "recover", "--target", target)
        yield Check("database", "critical", f"{target}: there is no such file", fix)
        return
    facts = target.stat()
    size = f"{facts.st_size / 1e6:,.1f} MB, {environment_of(target.name) or 'no environment'}"
    if not os.access(target, os.R_OK | os.W_OK):
        fix = quote_words("chmod", "u+rw", target)
        yield Check("database", "critical", f"{target}: you cannot read and write it", fix)
    elif facts.st_mode & _READABLE and _others_reach(target):
        fix = quote_words("chmod", "600", target)
        yield Check("database", "warning", f"{target}: other users can read it; {size}", fix)
    else:
        yield Check("database", "ok", f"{target}: {size}")
    yield _check_place(target)
    yield _check_log(target)


def _others_reach(target: Path) -> bool:
    """Return whether other users can get into the folder of a file."""
    enter = stat.S_IXGRP | stat.S_IXOTH
    return all(folder.stat().st_mode & enter for folder in target.absolute().parents)


def _check_place(target: Path) -> Check:
    fix = "move it to a folder of this disk, and set NEOTOMA_DATA_DIR to that folder"
    place = target.resolve()
    synced = synced_by(place)
    if synced:
        risk = "it copies the database and its log at different moments, and may put old ones back"
        return Check("place", "warning", f"in a folder of {synced}: {risk}", fix)
    mounts = _MOUNTS.read_text(errors="replace").splitlines() if _MOUNTS.is_file() else []
    network = network_type(place, mounts)
    if network:
        risk = "SQLite's locks may not hold there, and two programs can damage the database"
        return Check("place", "critical", f"on a network drive ({network}): {risk}", fix)
    return Check("place", "ok", "on a disk of this machine, and no sync program is known there")


def _check_log(target: Path) -> Check:
    log = target.with_name(f"{target.name}{LOG}")
    size = log.stat().st_size if log.is_file() else 0
    if size > max(_LARGE_LOG, target.stat().st_size):
        said = f"{size / 1e6:,.1f} MB: larger than the database"
        return Check("log", "warning", said, "stop Neotoma and start it again, which empties it")
    return Check("log", "ok", f"{size / 1e6:,.1f} MB")


def check_space(target: Path, vault: Path) -> Check:
    """Check that the next backup fits, and its proof with it."""
    size = target.stat().st_size if target.is_file() else 0
    free, needed = free_bytes(vault.absolute()), _COPIES * size
    said = f"{free / 1e9:,.1f} GB are free for the vault, a backup needs {needed / 1e9:,.1f}"
    fix = "free some, or see what old backups take: midden prune"
    if free < needed:
        return Check("space", "critical", said, fix)
    return Check(
        "space", "warning" if free < 2 * needed else "ok", said, fix if free < 2 * needed else None
    )


def check_disk(target: Path, vault: Path, *, remotes: bool) -> Check:
    """Check that one broken disk does not take the database and all its backups."""
    if not target.is_file() or not vault.is_dir() or remotes:
        return Check("disk", "ok", "there is a remote" if remotes else "not known yet")
    if target.stat().st_dev == vault.stat().st_dev:
        said = "the vault is on the disk of the database, and there is no remote"
        return Check(
            "disk", "warning", said, "midden init --remote URL, or a vault on another disk"
        )
    return Check("disk", "ok", "the vault is on another disk than the database")
