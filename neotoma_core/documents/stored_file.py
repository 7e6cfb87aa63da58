"""A file that is kept, as a manifest says it. Pure."""

from dataclasses import dataclass

from neotoma_core.documents.models import FileName


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a backup as stored, and where it is compressed, what is in it. Sizes in bytes."""

    name: FileName
    size: int
    sha256: str
    plain_size: int
    plain_sha256: str
