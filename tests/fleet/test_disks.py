"""At most so many jobs on one disk; a slot is free again when its process ends."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from neotoma_core.fleet.disks import disk_of, disk_slot

HOLD = """
import sys
from pathlib import Path
from neotoma_core.fleet.disks import disk_slot
with disk_slot(Path(sys.argv[1]), 7, 1):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_no_more_than_the_slots_are_held_at_once_and_another_disk_has_its_own(
    tmp_path: Path,
) -> None:
    most: list[int] = []
    inside = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside
        with disk_slot(tmp_path, 1, 2):
            with lock:
                inside += 1
                most.append(inside)
            with disk_slot(tmp_path, 2, 8):
                pass
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 8
    assert max(most) <= 2


def test_a_slot_is_waited_for_and_free_once_its_process_was_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    entered = threading.Event()

    def wait() -> None:
        with disk_slot(tmp_path, 7, 1):
            entered.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    with disk_slot(tmp_path, 8, 1):
        assert not entered.is_set()
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    waiting.join(60)
    assert entered.is_set()


def test_where_slots_cannot_be_kept_the_job_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with disk_slot(tmp_path / "file", 1, 1), disk_slot(tmp_path / "file", 1, 1):
        pass


def test_a_vault_that_is_not_made_yet_is_on_the_disk_of_the_folder_above(tmp_path: Path) -> None:
    assert disk_of(tmp_path / "not" / "there") == tmp_path.stat().st_dev
