"""Searching folders for copies of Neotoma databases, and reading each once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from neotoma_core.comparison.holdings import Coder
from neotoma_core.coverage.copies import Copy, Told, with_twins
from neotoma_core.coverage.held import Held, add_up, count_held
from neotoma_core.coverage.identity import Family, environment_by_content, families
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.keys import KeySource
from neotoma_core.find.candidates import Place, Reading, candidates
from neotoma_core.find.vault_copies import group_by_vault
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.report.layout import escape_name
from neotoma_core.report.progress import Progress
from neotoma_core.salvage.examining import Examined
from neotoma_core.unpacking.budgets import Limits
from neotoma_core.unpacking.walking import FoundFile, Walked, outermost, walk
from neotoma_core.vault.neotoma_manifests import environment_in_manifest
from neotoma_core.vault.raw_folders import folders_beside
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.setting import Setting


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Where to look. ``mounted``: also on file systems mounted below. ``leave_out``: not there.

    ``key``: where the key of encrypted columns is: without it their salvaged rows prove nothing.
    ``shallow``: folders where only the files directly in them are searched, not subfolders.
    ``erased``: what counts for nothing in what is found. ``allowance``: what reading a small file
    may cost; a larger one may cost more.
    ``around``: these are the places a database's copies are looked for unless others are named.
    """

    paths: tuple[Path, ...]
    mounted: bool = False
    leave_out: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)
    key: KeySource | None = None
    shallow: tuple[Path, ...] = ()
    around: bool = False
    erased: ErasedIds = field(default_factory=ErasedIds)
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def setting(self) -> Setting:
        """By what all files are read."""
        return Setting(self.erased, self.key)

    @property
    def said(self) -> tuple[str, ...]:
        """Where that is, as it is shown."""
        places = [escape_name(str(path)) for path in self.paths]
        return (*places, *(f"the files in {escape_name(str(path))}" for path in self.shallow))


@dataclass(frozen=True, slots=True)
class FoundCopy:
    """One copy: where it lies, where it can be read, and what is in it.

    ``path``: the file, or the archive it is in, and ``member`` what it is called there.
    ``readable`` is ``path``, or the place it was unpacked or salvaged to. ``packed``: the archive,
    as it was found, and ``unpacked`` what came out of it. ``raw_files``: the archive has raw files
    next to it. ``said``: the environment that its content names. ``remote``: the name of the remote
    that it came from, as ``member``.
    """

    number: int
    path: Path
    member: str
    readable: Path
    examined: Examined
    packed: FoundFile | None = None
    unpacked: Path | None = None
    raw_files: bool = False
    said: Environment | None = None
    remote: str = ""

    @property
    def place(self) -> str:
        """The file, or the remote, as it is shown."""
        return escape_name(self.remote or str(self.path))

    @property
    def shown(self) -> str:
        """The place, as it is shown."""
        return f"{self.place}!{escape_name(self.member)}" if self.member else self.place

    @property
    def name(self) -> str:
        """The name of the database file itself."""
        return Path(self.member).name or self.path.name

    @property
    def is_salvaged(self) -> bool:
        """Whether what is readable of it was salvaged."""
        return self.examined.salvaged is not None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    ``copies`` in order of their places. ``archives``: those that were not unpacked to the end, and
    why. ``known``: the copies with rows, by number, for decisions. ``observations`` and ``others``:
    who holds which rows, of the log's main table and of the rest of it. ``stated``: observations by
    id alone. ``families``: the copies of each database. ``coder``: what gave ids their codes.
    """

    request: SearchRequest
    copies: tuple[FoundCopy, ...]
    walked: Walked
    archives: tuple[tuple[Path, str], ...]
    known: dict[int, Copy]
    observations: tuple[Held, ...]
    others: tuple[Held, ...]
    families: tuple[Family, ...]
    coder: Coder

    def family_of(self, number: int) -> Family:
        """Return the copies of the same database; none where no row could be read."""
        return next((family for family in self.families if number in family), ())

    def environment(self, number: int) -> tuple[Environment | None, Told | None]:
        """Return the environment of a copy and what tells it."""
        copy = self.copies[number]
        by_name = environment_of(copy.name) or environment_of(copy.path.name)
        if by_name:
            return by_name, "name"
        by_manifest = copy.said or environment_in_manifest(copy.path)
        if by_manifest:
            return by_manifest, "manifest"
        family = self.family_of(number)
        by_content = environment_by_content(family, self.known) if family else None
        return by_content, "content" if by_content else None


def search(
    request: SearchRequest,
    scratch: Path,
    progress: Progress,
    also: Sequence[Path] = (),
    workers: Workers | None = None,
) -> Found:
    """Find and read every copy below the request's paths, and ``also`` these files.

    ``scratch``: a private folder for what has to be unpacked; what is read from there stays there.
    ``workers``: what reads them, by the request's own ``setting``; if none, they are started.
    Raises UsageError where a path does not exist.
    """
    for path in request.paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder; check the spelling")
    walked = Walked()
    with candidates(_reading(request, scratch, progress), workers) as found:
        progress.begin("search")
        files = _walk_roots(request, walked, (*request.leave_out, scratch), progress, also)
        places, archives = found.places(files)
        progress.begin("examine", len(places))
        coder = Coder(request.erased)
        copies = _copies(found.examine(places, coder))
    return relate_copies(Gathered(request, copies, walked, archives, coder))


def _reading(request: SearchRequest, scratch: Path, progress: Progress) -> Reading:
    return Reading(request.setting, request.limits, request.allowance, scratch, progress)


def _walk_roots(
    request: SearchRequest,
    walked: Walked,
    leave_out: Sequence[Path],
    progress: Progress,
    also: Sequence[Path],
) -> list[FoundFile]:
    there = [path for path in also if path.exists()]
    roots = outermost((*request.paths, *there, *_shallow(request, walked)))
    return list(walk(roots, walked, progress.advance, mounted=request.mounted, leave_out=leave_out))


def _shallow(request: SearchRequest, walked: Walked) -> list[Path]:
    """Return the files that are in the request's shallow folders themselves."""
    files = []
    for folder in request.shallow:
        try:
            files += sorted(path for path in folder.iterdir() if path.is_file())
        except OSError as error:
            walked.unreadable.append((folder, reason_of(error)))
    return files


def _copies(read: Sequence[tuple[Place, Examined]]) -> tuple[FoundCopy, ...]:
    return tuple(
        FoundCopy(
            number,
            place.path,
            place.member,
            one.salvaged.database if one.salvaged else place.readable,
            one,
            place.packed,
            place.readable if place.packed else None,
            place.raw_files,
        )
        for number, (place, one) in enumerate(read)
    )


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a search has met, before its copies are compared; see ``Found``."""

    request: SearchRequest
    copies: tuple[FoundCopy, ...]
    walked: Walked
    archives: tuple[tuple[Path, str], ...]
    coder: Coder


def relate_copies(gathered: Gathered, together: Iterable[Family] = ()) -> Found:
    """Return what was found, and which copies are of one database; ``together``: known to be."""
    copies = gathered.copies
    held = {c.number: c.examined.holdings for c in copies if c.examined.holdings is not None}
    ids = _count_held({number: holdings.ids for number, holdings in held.items()})
    made = _count_held({number: holdings.made for number, holdings in held.items()})
    random = _count_held({number: holdings.random for number, holdings in held.items()})
    observations = ids.pop("observations", ())
    known = with_twins(
        (_describe_copy(copies[number]) for number in held),
        {number: copies[number].examined.content for number in held},
    )
    return Found(
        gathered.request,
        copies,
        gathered.walked,
        gathered.archives,
        {copy.number: copy for copy in known},
        observations,
        add_up(*ids.values()),
        families(
            known,
            add_up(*made.values(), *random.values()),
            observations,
            (*group_by_vault({copy.number: copy.path for copy in copies}), *together),
        ),
        gathered.coder,
    )


def _count_held(copies: Mapping[int, Mapping[str, pl.DataFrame]]) -> dict[str, tuple[Held, ...]]:
    """Return who holds which rows, table by table."""
    tables = sorted({name for frames in copies.values() for name in frames})
    return {
        name: count_held({number: f[name] for number, f in copies.items() if name in f})
        for name in tables
    }


def _describe_copy(copy: FoundCopy) -> Copy:
    holdings = copy.examined.holdings
    assert holdings is not None  # noqa: S101 - only copies with rows are asked for
    by_name = environment_of(copy.name) or environment_of(copy.path.name)
    environment = by_name or copy.said or environment_in_manifest(copy.path)
    folder = copy.path.parent
    return Copy(
        copy.number,
        copy.shown,
        holdings.observations,
        holdings.last,
        environment,
        suspect=copy.is_salvaged,
        handy=copy.readable == copy.path,
        raw_files=copy.raw_files or any(folders_beside(folder, environment)),
        made_span=holdings.made_span,
    )
