"""Where a database lies: in a synced folder, on a network drive, or neither."""

from pathlib import Path

import pytest

from neotoma_core.doctor.places import network_type, synced_by

HOME = "/home/me"
MAC = "/Users/me/Library"
MOUNTS = (
    "/dev/sda1 / ext4 rw 0 0",
    "nas:/x /home/me/My\\040NAS nfs4 rw 0 0",
    "//pc/share /mnt/share cifs rw 0 0",
    "/dev/sdb1 /mnt/share/usb ext4 rw 0 0",
    "me@host:/x /mnt/far fuse.sshfs rw 0 0",
    "portal /run/user/1000/doc fuse.portal rw 0 0",
    "odd",
)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (f"{MAC}/Mobile Documents/com~apple~CloudDocs/n.db", "iCloud Drive"),
        (f"{MAC}/CloudStorage/Dropbox/n.db", "Dropbox"),
        (f"{HOME}/Dropbox (Personal)/neotoma/n.db", "Dropbox"),
        (f"{HOME}/OneDrive - Firm/n.db", "OneDrive"),
        (f"{MAC}/CloudStorage/GoogleDrive-me@example.org/My Drive/n.db", "Google Drive"),
        (f"{HOME}/Nextcloud/n.db", "Nextcloud"),
        (f"{HOME}/Dropbox-old/n.db", None),
        (f"{HOME}/data/Dropbox", None),
        (f"{HOME}/neotoma/data/n.db", None),
    ],
)
def test_a_folder_that_is_synced_is_known(place: str, name: str | None) -> None:
    assert synced_by(Path(place)) == name


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (f"{HOME}/My NAS/n.db", "nfs4"),
        ("/mnt/share/n.db", "cifs"),
        ("/mnt/share/usb/n.db", None),
        ("/mnt/far/deep/n.db", "fuse.sshfs"),
        ("/mnt/sharepoint/n.db", None),
        ("/run/user/1000/doc/n.db", None),
    ],
)
def test_a_drive_over_a_network_is_known(place: str, kind: str | None) -> None:
    assert network_type(Path(place), MOUNTS) == kind
