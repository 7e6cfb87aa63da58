"""Values of our own kept on disk between the tasks of a job, for those that are not rows alone.

They are pickled. The task that wrote one returns its SHA-256; a reader accepts only those bytes.
"""

import hashlib
import pickle
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from neotoma_core.errors import VerificationFailed
from neotoma_core.files.exact_paths import open_to_write


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that is there, and the SHA-256 of its file, in hex."""

    path: Path
    sha256: str

    def load(self) -> object:
        """Return the value; raises VerificationFailed where the file is not what was written."""
        raw = self.path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != self.sha256:
            raise VerificationFailed(str(self.path), ("it is not what a task of this job wrote",))
        return pickle.loads(raw)  # noqa: S301 - the bytes are those that we wrote

    def remove(self) -> None:
        """Remove the file, once no task will read it."""
        self.path.unlink(missing_ok=True)


def keep(folder: Path, stage: str, number: int, make: Callable[[], object]) -> Kept:
    """Return what a stage keeps under a number; ``make`` it where it is not there.

    It is written under a name of its own and renamed, so it is there whole or not at all.
    """
    path = folder / f"{stage}-{number:06}.kept"
    if path.exists():
        raw = path.read_bytes()
    else:
        raw = pickle.dumps(make(), protocol=5)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            with open_to_write(temporary) as file:
                file.write(raw)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return Kept(path, hashlib.sha256(raw).hexdigest())
