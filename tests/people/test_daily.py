"""Daily: set up with one command, then forgotten: no disk, a wipe overnight, a moved vault."""

import shutil

from tests.people.conftest import LARGEST, Person
from tests.support.databases import count

HELD = 6_174


def test_backups_survive_an_unplugged_disk_a_wipe_and_a_moved_vault(person: Person) -> None:
    wiped = person.target.read_bytes()
    shutil.copy(person.home / LARGEST, person.target)
    for place in ("backups", "Desktop", "Downloads", "Trash"):
        shutil.rmtree(person.home / place)
    disk = person.home / "disk"
    disk.mkdir()
    person.accomplish("init", "--target", person.target, "--vault", disk / "vault", "--yes")
    person.accomplish("verify")

    away = disk.rename(person.home / "unplugged")
    for words in (["backup"], ["backups"], ["prune"], ["verify"], ["recover", "--dry-run"]):
        asked = person.say(*words)
        assert (asked.returncode, "connect its disk" in asked.stderr) == (20, True), words
    looked = person.say("status")
    assert (looked.returncode, "connect its disk" in looked.stdout) == (6, True)
    assert not disk.exists()
    away.rename(disk)

    person.target.write_bytes(wiped)
    nightly = [person.say("backup").returncode for _ in range(2)]
    assert nightly == [6, 6]
    looked = person.say("status")
    assert (looked.returncode, "looks wiped" in looked.stdout) == (6, True)
    [vault_line] = [line for line in looked.stdout.splitlines() if line.startswith("vault ")]
    assert "more alarms; rotation is frozen" in vault_line
    person.accomplish("recover", "--backup", "1", "--yes")
    assert count(person.target, "observations") == HELD + 22
    person.accomplish("backup")
    protection = person.report("status")["protection"]
    assert (protection["good"], protection["frozen"]) == (2, False)

    moved = (disk / "vault").rename(person.home / "moved")
    assert person.say("backup").returncode == 20
    assert len(person.report("backups", "--vault", moved)["listed"]) == 4
    person.accomplish("restore", "1", "--vault", moved, "--yes")
    assert count(person.target, "observations") == HELD
