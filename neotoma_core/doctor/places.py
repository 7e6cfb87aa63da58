"""Where a file lies: in a folder that some program syncs, or on a drive over a network. Pure."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_SYNCED: Final = (
    ("iCloud Drive", re.compile(r"Library/Mobile Documents/|Library/CloudStorage/iCloud")),
    ("Dropbox", re.compile(r"/Dropbox( \([^/]*\))?/|CloudStorage/Dropbox")),
    ("OneDrive", re.compile(r"/OneDrive( - [^/]*)?/|CloudStorage/OneDrive")),
    ("Google Drive", re.compile(r"/(Google ?Drive|My Drive)/|CloudStorage/GoogleDrive")),
    ("Nextcloud", re.compile(r"/(Nextcloud|ownCloud)/")),
    ("Syncthing", re.compile(r"/Sync/")),
)
_OVER_NETWORK: Final = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afpfs|webdav|davfs2?|fuse\.(sshfs|rclone|s3fs|davfs2?)|9p|afs|ceph"
)
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def synced_by(path: Path) -> str | None:
    """Return the name of the program that syncs the folder of a file; None where none does."""
    return next((name for name, place in _SYNCED if place.search(f"{path.parent}/")), None)


def network_type(path: Path, mounts: Sequence[str]) -> str | None:
    """Return the type of the drive over a network that a file is on; None where it is on none.

    ``mounts``: lines as in /proc/self/mounts.
    """
    found = (_parse_mount(line) for line in mounts)
    on = [(len(place.parts), kind) for place, kind in found if path.is_relative_to(place)]
    kind = max(on, default=(0, ""))[1]
    return kind if _OVER_NETWORK.fullmatch(kind) else None


def _parse_mount(line: str) -> tuple[Path, str]:
    """Return where a file system is mounted, and its type; octal escapes stand for spaces."""
    parts = line.split(" ")
    place, kind = (parts[1], parts[2]) if len(parts) > 2 else ("/", "")  # noqa: PLR2004 - fields
    return Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), place)), kind
