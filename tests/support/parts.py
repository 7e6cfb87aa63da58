"""The files behind the parts of a job in a folder."""

from pathlib import Path

from neotoma_core.stages.kept import Kept
from neotoma_core.stages.parts import Part
from neotoma_core.stages.places import Folder


def path_of(made: Part | Kept) -> Path:
    """Return the file of what a task made."""
    assert isinstance(made.place, Folder)
    return made.place.path / made.name
