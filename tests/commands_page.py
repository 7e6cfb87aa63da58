"""The page of commands, from the command line itself: ``python -m tests.commands_page`` writes it.

A test compares the page with what this makes, so that no option is missing or out of date.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

from neotoma_core.cli.examples import EXAMPLES
from neotoma_core.cli.terminal.manner import COMMON
from tests.command_line import commands
from tests.pages import DOCS

PAGE: Final = DOCS / "commands.md"
_HEAD: Final = """\
# Commands

Written by `python -m tests.commands_page`; `midden COMMAND --help` prints the same.

Data goes to standard output; questions, progress and errors go to standard error. `--json` prints \
one document; [report](report.md) lists its keys. [Exit codes](exit-codes.md) say how a run ended.

Every command also has `--quiet` (only questions, warnings and errors), `--verbose` (each step on \
standard error, with its time) and `--progress json` (a line per event on standard error). \
`midden completion bash`, `zsh` or `fish` prints what makes your shell complete all of this.

Every command that writes to a database has `--dry-run`, asks first (`--yes` answers, for scripts) \
and ends with the command that undoes it. An erasure cannot be undone, and says so before it asks. \
The removal of backups cannot be undone either; it needs `--apply`.
"""
_VALUE: Final = re.compile(r"<(?:list\[)?(str|int|path|Path)\]?>")
_MORE: Final = {
    "init": "configure.md",
    "recover": "recover.md",
    "find": "find.md",
    "status": "find.md#has-this-database-lost-anything",
    "rebuild": "rebuild.md",
    "erase": "erase.md",
    "backup": "backups.md#take-a-backup",
    "backups": "backups.md",
    "verify": "backups.md#take-a-backup",
    "prune": "backups.md#remove-old-backups",
    "forget": "erase.md#rewritten-backups",
    "restore": "backups.md#restore",
    "reset": "backups.md#reset-and-guard",
    "guard install": "backups.md#reset-and-guard",
    "doctor": "doctor.md",
    "serve": "scheduling.md",
    "schedule install": "scheduling.md",
    "config show": "configure.md#options",
    "mcp": "agents.md",
    "mcp install": "agents.md#set-it-up",
    "approve": "agents.md#plans-and-your-yes",
    "audit": "agents.md#see-what-was-asked",
    "archive": "archive.md",
    "history": "archive.md#what-it-is-for",
    "unmerge": "archive.md#what-it-is-for",
    "compact": "archive.md#what-it-is-for",
    "export": "analytics.md",
}


def commands_page() -> str:
    """Return the page: a table of all commands, and a section with the options of each."""
    shown = [(words, command) for words, command in commands() if not _is_group(command)]
    rows = [f"| [`{w}`](#{w.replace(' ', '-')}) | {_summary(c)} |" for w, c in shown]
    table = ["| command | what it does |", "| --- | --- |", *rows]
    sections = ["\n".join(_section(words, command)) for words, command in shown]
    return "\n".join([_HEAD, *table, "", "\n\n".join(sections), ""])


def _is_group(command: Any) -> bool:
    return hasattr(command, "commands") and not command.invoke_without_command


def _summary(command: Any) -> str:
    return inspect.cleandoc(command.help).partition("\n\n")[0].replace("\n", " ")


def _section(words: str, command: Any) -> Iterator[str]:
    yield f"## {words}"
    yield ""
    for paragraph in inspect.cleandoc(command.help).split("\n\n"):
        yield from (paragraph.replace("\n", " ").replace("``", "`"), "")
    more = _MORE.get(words.removeprefix("midden "))
    if more:
        yield from (f"More: [{more.partition('#')[0].removesuffix('.md')}]({more}).", "")
    yield "| option | what it does |"
    yield "| --- | --- |"
    context = command.context_class(command, info_name=words, terminal_width=80)
    for parameter in command.params:
        if parameter.name in COMMON:
            continue
        option, text = parameter.get_help_record(context)
        yield f"| `{_cell(_VALUE.sub(_value, option))}` | {_cell(text)} |"
    shown = EXAMPLES.get(words.removeprefix("midden "), ())
    if shown:
        yield from ("", "```sh", *shown, "```")


def _value(shown: re.Match[str]) -> str:
    """Return what a user gives for an option, without the parser's words for its type."""
    return f"<{shown[1].lower()}>".replace("<str>", "<text>").replace("<int>", "<number>")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(commands_page())
