"""``midden mcp install``: the entry for a client's settings, and where these are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.json import JsonValue, parse_json, stringify

Client = Literal["claude-desktop", "claude-code", "cursor", "vscode"]
NAME: Final = "midden"
_KEYS: Final[Mapping[Client, str]] = {
    "claude-desktop": "mcpServers",
    "claude-code": "mcpServers",
    "cursor": "mcpServers",
    "vscode": "servers",
}


@dataclass(frozen=True, slots=True)
class InstalledEntry:
    """The entry of one client: the ``file`` it belongs into, and whether it was written there."""

    client: Client
    file: str
    entry: str
    outcome: Literal["printed", "written", "unchanged"]


def settings_file(client: Client, home: Path, folder: Path, *, mac: bool) -> Path:
    """Return where a client keeps its settings. ``folder``: of the project, for VS Code."""
    if client == "claude-desktop":
        support = home / "Library" / "Application Support" if mac else home / ".config"
        return support / "Claude" / "claude_desktop_config.json"
    if client == "claude-code":
        return home / ".claude.json"
    if client == "cursor":
        return home / ".cursor" / "mcp.json"
    return folder / ".vscode" / "mcp.json"


def install_entry(
    client: Client, file: Path, words: Sequence[str], *, apply: bool
) -> InstalledEntry:
    """Return the entry that starts the server by ``words``; write it to the file if asked to.

    The rest of the file stays. Raises UsageError where it is not JSON, or cannot be written.
    """
    key = _KEYS[client]
    entry: dict[str, JsonValue] = {"command": words[0], "args": [*words[1:]]}
    if client == "vscode":
        entry = {"type": "stdio", **entry}
    shown = stringify({key: {NAME: entry}})
    if not apply:
        return InstalledEntry(client, str(file), shown, "printed")
    settings = _settings(file)
    servers = settings.get(key, {})
    if not isinstance(servers, dict):
        raise UsageError(
            f"{file}: {key} is not an object; nothing was changed; add the entry by hand"
        )
    if servers.get(NAME) == entry:
        return InstalledEntry(client, str(file), shown, "unchanged")
    written = stringify({**settings, key: {**servers, NAME: entry}}) + "\n"
    try:
        make_folders(file.parent)
        write_file(file.resolve(), written.encode(), mode=_mode(file))
    except OSError as error:
        raise UsageError(f"{file}: {reason_of(error)}; add the entry by hand") from error
    return InstalledEntry(client, str(file), shown, "written")


def _settings(file: Path) -> dict[str, JsonValue]:
    try:
        text = read_small(file).decode()
        settings = parse_json(text) if text.strip() else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        settings = None
    if not isinstance(settings, dict):
        raise UsageError(
            f"{file}: not plain JSON, it may have comments; nothing was changed; "
            "add the entry by hand"
        )
    return settings


def _mode(file: Path) -> int:
    return file.stat().st_mode & 0o777 if file.exists() else 0o600
