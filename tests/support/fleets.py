"""A fleet of small databases, each with a vault of its own, and the midden.toml that names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.backing_up import Vault, small_vault


@dataclass(frozen=True)
class Fleet:
    """Databases by name; ``file``: their midden.toml."""

    folder: Path
    databases: Mapping[str, Vault]

    @property
    def file(self) -> Path:
        return self.folder / "midden.toml"

    def configure(
        self, extra: str = "", more: Mapping[str, Sequence[str]] | None = None
    ) -> "Fleet":
        """Write midden.toml again; ``more``: further lines of a database."""
        lines = [extra]
        for name, world in self.databases.items():
            lines += [f"[databases.{name}]", f'path = "{world.target}"', f'vault = "{world.vault}"']
            lines += (more or {}).get(name, ())
        self.file.write_text("\n".join(lines) + "\n")
        return self


def small_fleet(folder: Path, names: Sequence[str], observations: int = 5) -> Fleet:
    """Return a fleet whose databases have different contents; no backup yet."""
    worlds = {
        name: small_vault(folder / name, observations + place) for place, name in enumerate(names)
    }
    return Fleet(folder, worlds).configure()
