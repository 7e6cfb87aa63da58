"""Values of our own kept between the tasks of a job, for those that are not rows alone.

They are pickled. The task that wrote one returns its SHA-256; a reader accepts only those bytes.
"""

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from neotoma_core.errors import VerificationFailed
from neotoma_core.stages.places import Place


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that is there: where, how large in bytes, and the SHA-256 of its file, in hex."""

    place: Place
    name: str
    size: int
    sha256: str

    def load(self) -> object:
        """Return the value; raises VerificationFailed where the file is not what was written."""
        raw = _read(self.place, self.name, self.size)
        if hashlib.sha256(raw).hexdigest() != self.sha256:
            raise VerificationFailed(self.name, ("it is not what a task of this job wrote",))
        return pickle.loads(raw)  # noqa: S301 - the bytes are those that we wrote

    def remove(self) -> None:
        """Remove the file, once no task will read it."""
        self.place.remove(self.name)


def keep(place: Place, stage: str, number: int, make: Callable[[], object]) -> Kept:
    """Return what a stage keeps under a number; ``make`` it where it is not there."""
    name = f"{stage}-{number:06}.kept"
    size = place.size_of(name)
    if size is None:
        raw = pickle.dumps(make(), protocol=5)
        size = place.write(name, lambda file: _put(file, raw))
    else:
        raw = _read(place, name, size)
    return Kept(place, name, size, hashlib.sha256(raw).hexdigest())


def _put(file: IO[bytes], raw: bytes) -> None:
    file.write(raw)


def _read(place: Place, name: str, size: int) -> bytes:
    with place.open(name, size) as file:
        return file.read()
