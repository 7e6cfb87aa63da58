"""Archives and compressed files, whole and damaged, built byte by byte."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

import zstandard

PACKERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
SPARSE: Final = tarfile.GNUTYPE_SPARSE


def tar(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zip_up(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def sparse_tar(name: str, size: int, parts: Mapping[int, bytes]) -> bytes:
    """Return a tar, as GNU tar writes it, with one file that has holes but for up to four parts."""
    header = bytearray(512)
    numbers = [number for start, content in parts.items() for number in (start, len(content))]
    fields = {
        0: name.encode(),
        100: b"0000644\0",
        124: b"%011o\0" % sum(map(len, parts.values())),
        148: b" " * 8,
        156: SPARSE,
        257: b"ustar  \0",
        386: b"".join(b"%011o\0" % number for number in numbers),
        483: b"\x80" + size.to_bytes(11, "big"),
    }
    for at, content in fields.items():
        header[at : at + len(content)] = content
    header[148:156] = b"%06o\0 " % sum(header)
    data = b"".join(parts.values())
    return bytes(header) + data + bytes(-len(data) % 512) + bytes(1024)


def flip(content: bytes, place: int) -> bytes:
    """Return the bytes with every bit of one of them turned."""
    damaged = bytearray(content)
    damaged[place] ^= 0xFF
    return bytes(damaged)
