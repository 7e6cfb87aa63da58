"""Files kept compressed: written and read in one pass, hashed on both sides.

Invariant: a compressed file is synced before its name is given to anybody.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.files.atomic import announce, sync_file
from neotoma_core.files.failures import naming
from neotoma_core.files.regular import CHUNK, Progress, no_progress, open_regular

_LEVEL: Final = 3
SUFFIX: Final = ".zst"
Decompress = Callable[[Path, StoredFile, Path], None]
"""What writes what a stored file of a folder holds to a path, as ``decompress_file`` does."""
_OTHER_BYTES: Final = "its bytes are not those that were stored"


class NotIntact(Exception):
    """A stored file is not what its manifest says. ``wrong`` says how, without a stored value."""

    def __init__(self, name: str, wrong: str) -> None:
        self.wrong = f"{name}: {wrong}"
        super().__init__(self.wrong)


def compress_file(plain: Path, stored: Path, progress: Progress = no_progress) -> StoredFile:
    """Write ``plain`` compressed to ``stored``, which must not be there yet."""
    inner, outer = hashlib.sha256(), hashlib.sha256()
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, threads=2)
    chunker = compressor.chunker(size=plain.stat().st_size, chunk_size=CHUNK)
    size = plain_size = 0
    descriptor = os.open(stored, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with plain.open("rb") as source, os.fdopen(descriptor, "wb") as file:

        def write(chunks: Iterator[bytes]) -> None:
            nonlocal size
            for chunk in chunks:
                outer.update(chunk)
                file.write(chunk)
                size += len(chunk)

        while block := source.read(CHUNK):
            inner.update(block)
            plain_size += len(block)
            write(chunker.compress(block))
            progress(len(block))
        write(chunker.finish())  # type: ignore[no-untyped-call]  # its stub lacks the types
        file.flush()
        announce("temp_written")
        os.fsync(file.fileno())
        announce("temp_synced")
    return StoredFile(stored.name, size, outer.hexdigest(), plain_size, inner.hexdigest())


def decompress_file(
    folder: Path, file: StoredFile, plain: Path, progress: Progress = no_progress
) -> None:
    """Write what a stored file holds to ``plain`` and sync it; raises NotIntact, and leaves none.

    Nothing that was not stored can come of it: both sides are hashed, and every byte is read.
    """
    try:
        with _open_stored(folder, file) as source:
            _decompress(source, file, plain, progress)
    except zstandard.ZstdError:
        plain.unlink(missing_ok=True)
        raise NotIntact(file.name, "cannot be decompressed") from None
    except NotIntact:
        plain.unlink(missing_ok=True)
        raise
    sync_file(plain)


def check_file(folder: Path, file: StoredFile) -> None:
    """Raise NotIntact where the stored bytes are not those of the manifest."""
    digest = hashlib.sha256()
    with naming(folder / file.name), _open_stored(folder, file) as source:
        while block := source.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() != file.sha256:
        raise NotIntact(file.name, _OTHER_BYTES)


def _open_stored(folder: Path, file: StoredFile) -> BinaryIO:
    """Open a stored file that has as many bytes as were stored; raises NotIntact."""
    try:
        source = open_regular(folder / file.name)
    except FileNotFoundError:
        raise NotIntact(file.name, "missing") from None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise NotIntact(file.name, "not a regular file") from None
    if os.fstat(source.fileno()).st_size != file.size:
        source.close()
        raise NotIntact(file.name, _OTHER_BYTES)
    return source


def _read(source: BinaryIO, offset: int) -> bytes:
    with naming(Path(source.name)):
        return os.pread(source.fileno(), CHUNK, offset)


def _decompress(source: BinaryIO, file: StoredFile, plain: Path, progress: Progress) -> None:
    inner, outer = hashlib.sha256(), hashlib.sha256()
    decompressor = zstandard.ZstdDecompressor().decompressobj(write_size=CHUNK)
    written = offset = 0
    descriptor = os.open(plain, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with naming(plain), os.fdopen(descriptor, "wb") as copy:
        while block := _read(source, offset):
            outer.update(block)
            offset += len(block)
            content = decompressor.decompress(block) if not decompressor.eof else b""
            written += len(content)
            if written > file.plain_size:
                raise NotIntact(file.name, "it holds more than was stored")
            inner.update(content)
            copy.write(content)
            progress(len(content))
    if outer.hexdigest() != file.sha256:
        raise NotIntact(file.name, _OTHER_BYTES)
    if inner.hexdigest() != file.plain_sha256:
        raise NotIntact(file.name, "what it holds is not what was stored")
