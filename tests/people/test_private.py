"""Private: erases a person, and nothing of them is left, nor comes back."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import zstandard

from tests.people.conftest import LARGEST, TARGET, Person

NAME = "Quinn Eriksen 796"
ENTITY = "ent_175f59bd774609ed4c74b245"


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield path, content
            if path.suffix == ".zst":
                yield path, zstandard.ZstdDecompressor().stream_reader(content).read()


def holding(folder: Path) -> list[Path]:
    return [path for path, content in contents(folder) if NAME.encode() in content]


def test_a_person_is_gone_from_everything_and_stays_gone(person: Person) -> None:
    shutil.copy(person.home / LARGEST, person.target)
    for place in ("backups", "Desktop", "Downloads", "Trash"):
        shutil.rmtree(person.home / place)
    person.accomplish("init", "--target", TARGET, "--yes", "--no-schedule")
    person.accomplish("archive")
    person.accomplish("export", "--to", "out", "--format", "csv")
    assert holding(person.home / "out")
    erased = person.accomplish("erase", "--entity", ENTITY, "--yes")
    named = [line.strip() for line in erased.stdout.splitlines() if line.strip().startswith("rm ")]
    person.accomplish("backup")
    person.accomplish("forget", "--erased", "--yes")
    for line in dict.fromkeys(named):
        subprocess.run(shlex.split(line), check="/backups/" not in line and "/blobs/" not in line)
    assert holding(person.home) == []
    assert person.say("show", NAME).returncode == 2
    looked = person.accomplish("status").stdout
    assert "lacks" not in looked
    assert "fewer observations" not in looked  # of 6,174: nothing that anybody would call a loss
    person.accomplish("restore", "1", "--yes")
    assert holding(person.home) == []
    assert person.say("show", NAME).returncode == 2
