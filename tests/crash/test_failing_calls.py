"""Whichever system call fails, the error is clear, and says what became of the target.

A sample always runs; ``--every-failure`` tries many more calls, each with every error.
"""

import errno
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from neotoma_core.vault.folder import WORK
from tests.crash.failing import CALLS, Answer, Failing, Request, failing
from tests.support.archiving import archive
from tests.support.backing_up import fill, small_vault
from tests.support.databases import entity, make_database, observation, read_all

TARGET: Final = "data/neotoma.db"
OF_TARGET: Final = f"--target {TARGET} --vault vault"
OPERATIONS: Final = {
    "recover": f"recover {OF_TARGET} --backup copies/old.db --yes",
    "rebuild": f"rebuild {OF_TARGET} --yes",
    "backup": f"backup {OF_TARGET}",
    "restore": f"restore 1 {OF_TARGET} --yes --allow-environment-mismatch",
    "restore from an archive": f"restore --from-archive archive {OF_TARGET} --yes --same-database",
    "archive": f"archive {OF_TARGET} --to archive",
    "export": f"export {OF_TARGET} --to out/export",
    "erase": f"erase {OF_TARGET} --entity e0001 --yes",
    "prune": f"prune {OF_TARGET} --keep-last 1 --apply --yes",
    "compact": "compact --archive archive --apply",
    "verify": f"verify {OF_TARGET}",
    "find": "find copies data",
    "status": f"status {TARGET} --vault vault",
    "reset": f"reset {OF_TARGET} --yes",
}
WRITES: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
NAMES: Final = (errno.EACCES, errno.EROFS, errno.EIO, errno.EMFILE)
ERRORS: Final = {
    "read": (errno.EIO, errno.EINTR),
    "write": (*WRITES, errno.EINTR),
    "sync": (*WRITES, errno.EINTR),
    "open": (errno.EACCES, errno.EMFILE, errno.EIO, errno.EINTR),
    "create": (*NAMES, errno.ENOSPC, errno.EINTR),
    "truncate": WRITES,
    "rename": (*NAMES, errno.EINTR),
    "remove": (*NAMES, errno.EINTR),
    "mkdir": (*NAMES, errno.ENOSPC, errno.EINTR),
    "list": (errno.EACCES, errno.EMFILE, errno.EIO),
}
SAMPLE: Final = (
    ("recover", "write"),
    ("recover", "rename"),
    ("backup", "sync"),
    ("restore", "create"),
    ("export", "write"),
    ("erase", "sync"),
    ("find", "open"),
)
OFTEN: Final = 6  # calls of a kind and operation that fail, where every failure is asked for
FINE: Final = (0, 6)  # a status that has something to say
DRILLED: Final = 3  # a drill that could not look at everything
DOCUMENTED: Final = (0, 2, 3, 5, 6, 10, 11, 14, 15, 20, 21, 22, 25, 26, 27)

# The library is preloaded, and descriptors are named by /proc.
if sys.platform == "linux":

    @pytest.fixture(scope="module")
    def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
        with failing(tmp_path_factory.mktemp("library")) as process:
            yield process

    @pytest.fixture(scope="module")
    def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Two backups, an archive, a copy that has more, and a folder for temporary files."""
        folder = tmp_path_factory.mktemp("template")
        world = small_vault(folder, 20)
        for rows in (30, 40):
            world.back_up(drill=False)
            archive(world.target, folder / "archive")
            fill(world.target, rows)
        world.target.rename(folder / TARGET)
        shutil.rmtree(folder / "data" / "archive-vault")
        copied = {
            "entities": [entity("e0000"), entity("b1")],
            "observations": [observation("o0000", "e0000"), observation("b1", "b1")],
        }
        make_database(folder / "copies" / "old.db", copied)
        for name in ("tmp", "out"):
            (folder / name).mkdir()
        return folder

    @pytest.mark.parametrize(("operation", "call"), SAMPLE, ids=map(" ".join, SAMPLE))
    def test_a_failure_is_named_and_the_words_agree_with_the_target(
        operation: str, call: str, zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, operation, call)
        assert trial.seen > 1
        problems = trial.fails(trial.seen, ERRORS[call][0], for_good=False)
        problems += trial.fails((trial.seen + 1) // 2, ERRORS[call][1], for_good=True)
        assert problems == []

    def test_whichever_write_of_a_compaction_fails_for_good_is_named(
        zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, "compact", "write")
        assert trial.seen > OFTEN - 1
        problems = [
            said for n in trial.numbers() for said in trial.fails(n, errno.EIO, for_good=True)
        ]
        assert problems == []

    def test_reads_that_fail_for_good_within_an_erasure_are_named(
        zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, "erase", "read")
        problems = [
            said for n in trial.numbers() for said in trial.fails(n, errno.EIO, for_good=True)
        ]
        assert problems == []

    def test_whatever_an_export_cannot_force_to_the_disk_is_named(
        zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, "export", "sync")
        problems = [
            said for n in trial.numbers() for said in trial.fails(n, errno.EIO, for_good=False)
        ]
        assert problems + trial.fails(trial.seen, errno.ENOSPC, for_good=False) == []

    def test_reads_that_fail_within_a_drill_are_named_and_blame_no_page_of_the_backup(
        zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, "verify", "read")
        problems = [
            said for n in trial.numbers() for said in trial.fails(n, errno.EIO, for_good=n % 2 == 1)
        ]
        assert problems == []

    def test_files_that_cannot_be_opened_within_a_drill_are_named(
        zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, "verify", "open")
        problems = [
            said for n in trial.numbers() for said in trial.fails(n, errno.EMFILE, for_good=False)
        ]
        assert problems == []

    def test_whichever_write_of_an_export_is_interrupted_is_done_again(
        zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, "export", "write")
        problems = [
            said for n in trial.numbers() for said in trial.fails(n, errno.EINTR, for_good=False)
        ]
        assert problems == []

    def test_a_scratch_folder_that_must_not_be_removed_stays_and_the_command_ends(
        zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        trial = Trial(zygote, template, tmp_path, "restore", "remove")
        assert trial.fails(1, errno.EACCES, for_good=True) == []

    def test_every_failure(
        request: pytest.FixtureRequest, zygote: Failing, template: Path, tmp_path: Path
    ) -> None:
        asked = request.config.getoption("--every-failure")
        problems, cases = [], 0
        for operation in OPERATIONS if asked else ("prune",):
            for call in CALLS if asked else ("mkdir",):
                trial = Trial(zygote, template, tmp_path, operation, call)
                for number in trial.numbers():
                    for error in ERRORS[call]:
                        for_good = (number + error) % 2 == 0 and error != errno.EINTR
                        cases += 1
                        problems += trial.fails(number, error, for_good=for_good)
        assert cases > 0
        assert problems == [], f"{len(problems)} of {cases}"


class Trial:
    """One operation, whose calls of one kind fail. ``seen``: how many there are of them."""

    def __init__(
        self, zygote: Failing, template: Path, folder: Path, operation: str, call: str
    ) -> None:
        self._zygote = zygote
        self._template = template
        self._folder = folder / "case"
        self._operation = operation
        self._call = call
        whole = self._run(0, 0, for_good=False)
        self.seen = whole.seen
        self._code = whole.code
        assert whole.code in FINE, whole.err

    def numbers(self) -> list[int]:
        """Return which of its calls fail, from the first to the last."""
        last = self.seen - 1
        return sorted({1 + i * last // (OFTEN - 1) for i in range(OFTEN)}) if self.seen else []

    def fails(self, number: int, error: int, *, for_good: bool) -> list[str]:
        """Return what is wrong with how it ends when one of its calls fails."""
        answer = self._run(number, error, for_good=for_good)
        case = f"{self._operation}, {self._call} {number}, {errno.errorcode[error]}, {for_good}"
        changed = read_all(self._folder / TARGET) != read_all(self._template / TARGET)
        wrong = list(self._wrong(answer, changed=changed))
        if error == errno.EINTR and answer.code != self._code and not _is_librarys(answer.struck):
            wrong.append("an interrupted call was not done again")
        return [f"{case}: {'; '.join(wrong)}: {answer.struck}: {answer.err}"] if wrong else []

    def _wrong(self, answer: Answer, *, changed: bool) -> Iterator[str]:
        said = answer.err or answer.out  # where a drill fails, the report says why
        if answer.code not in DOCUMENTED or "internal error" in said or "Traceback" in said:
            yield f"ended with {answer.code}"
        failed = answer.code not in (self._code, 0, 3)
        if failed and not re.search(r"data|vault|archive|out|tmp|copies", said):
            yield "names no file"
        if answer.code == DRILLED and not _names(said, answer.struck):
            yield "names another file"
        if self._operation == "verify" and "damaged: SQLite" in answer.out:
            yield "calls a backup damaged that is not"
        if changed and re.search("nothing was changed|as it was|rolled back", said):
            yield "calls a new target old"
        undone = "undo: midden restore" in said or self._operation == "erase"  # which has no undo
        if changed and failed and not undone:
            yield "says no undo"
        if not changed and "already changed" in said:
            yield "calls an old target new"
        if _bytes_in(self._folder / "copies") != _bytes_in(self._template / "copies"):
            yield "an input was changed"

    def _run(self, number: int, error: int, *, for_good: bool) -> Answer:
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._template, self._folder)
        words = tuple(OPERATIONS[self._operation].split())
        asked = Request(words, str(self._folder), self._call, number, error, for_good)
        return self._zygote.run(asked)


def _names(said: str, struck: str) -> bool:
    """Return whether a file, or the folder it is in, is named; scratch of a run may be unnamed."""
    return f"/{WORK}/" in struck or any(name in said for name in struck.split("/")[-2:])


def _is_librarys(struck: str) -> bool:
    """Return whether SQLite or Delta itself changes a name or syncs: neither does it again.

    Of what is ours, Python does each call again that is interrupted in a database.
    """
    return struck.endswith(("-journal", "-wal", ".db")) or "/_delta_log/" in struck


def _bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
