import hashlib
import os
from pathlib import Path

import pytest

from neotoma_core.unfinished import payload_files
from neotoma_core.unfinished.payload_files import payload_file, read_payload

CONTENT = b'[{"entity_type":"note"}]'
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"user/{DIGEST}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "user").mkdir()
    return tmp_path / NAME


def test_a_payload_is_read_from_the_first_folder_that_has_it(place: Path, tmp_path: Path) -> None:
    place.write_bytes(CONTENT)
    assert payload_file([tmp_path / "absent", tmp_path], NAME) == place
    assert read_payload(place) == CONTENT


def test_a_link_to_a_file_is_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(CONTENT)
    place.symlink_to(tmp_path / "elsewhere")
    assert read_payload(place) == CONTENT


@pytest.mark.parametrize(
    "name",
    [
        "",
        "internal://relationship/PART_OF",
        "user/short",
        f"../{DIGEST}",
        f"user/../../x/{DIGEST}",
        f"/etc/{DIGEST}",
        f"./{DIGEST}",
        f"us\0er/{DIGEST}",
        f"us\ud83der/{DIGEST}",
        f"other/{DIGEST}",
    ],
)
def test_a_name_that_is_no_stored_file_leads_nowhere(
    name: str, place: Path, tmp_path: Path
) -> None:
    place.write_bytes(CONTENT)
    (tmp_path / DIGEST).write_bytes(CONTENT)
    (tmp_path.parent / DIGEST).write_bytes(CONTENT)
    assert payload_file([tmp_path], name) is None


def test_bytes_with_another_hash_are_not_the_payload(place: Path) -> None:
    place.write_bytes(CONTENT[:-1])
    assert read_payload(place) == "unreadable"


def test_what_is_no_regular_file_is_not_opened(place: Path) -> None:
    os.mkfifo(place)  # to open it would wait for a writer that never comes
    assert read_payload(place) == "unreadable"
    place.unlink()
    place.symlink_to("/dev/zero")
    assert read_payload(place) == "unreadable"
    place.unlink()
    place.mkdir()
    assert read_payload(place) == "unreadable"


def test_a_file_that_is_gone_or_a_link_to_nowhere_is_no_file(place: Path) -> None:
    assert read_payload(place) == "no-file"
    place.symlink_to("nowhere")
    assert read_payload(place) == "no-file"


def test_a_huge_file_is_not_read(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(1 << 40)
    assert read_payload(place) == "too-large"


def test_the_largest_file_that_is_read_is_read_whole(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write_bytes(CONTENT)
    monkeypatch.setattr(payload_files, "MOST_BYTES", len(CONTENT))
    assert read_payload(place) == CONTENT
    monkeypatch.setattr(payload_files, "MOST_BYTES", len(CONTENT) - 1)
    assert read_payload(place) == "too-large"
