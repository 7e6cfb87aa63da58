"""Commands that take nothing silently: no empty value, and no second one where only one counts."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from typer import TyperException
from typer.core import TyperCommand, TyperGroup

from neotoma_core.cli.examples import EXAMPLES
from neotoma_core.cli.terminal.configured import meant_database, take_configured
from neotoma_core.cli.terminal.manner import MANNER, common_options, wants_json
from neotoma_core.cli.terminal.streams import hush_output
from neotoma_core.errors import UsageError, begin_record

_DATABASES: Final = ("target", "database", "named")
"""The options and arguments that a configured name may stand for."""


class StrictCommand(TyperCommand):
    """A command that refuses an empty value, and an option repeated where only the last counts.

    An empty value is nearly always a variable that is not set; as a path it would be the current
    folder. Every command has the common options, and examples in its help.
    """

    def __init__(self, *words: Any, **facts: Any) -> None:  # noqa: ANN401 - the parser's own
        """Make the command with the options that all of them share."""
        super().__init__(*words, **facts)
        self.params += common_options()

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - the parser's own
        """Show the examples of the command."""
        super().format_epilog(ctx, formatter)
        shown = EXAMPLES.get(_words_of(ctx), ())
        if shown:
            with formatter.section("Examples"):
                for line in shown:
                    formatter.write_text(line)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the parser's own
        """Parse, once the words are found to be meant; raises UsageError."""
        given = _require_meant(self, ctx, args)
        if "--help" not in args:
            self.configure(ctx, given)
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            missing = type(error).__name__ == "MissingParameter"  # a class that it keeps to itself
            parameter = getattr(error, "param", None)
            if not missing or parameter is None or parameter.name not in _DATABASES:
                raise
        from neotoma_core.settings.used import no_database_named

        raise no_database_named()

    def configure(self, ctx: Any, given: Any) -> None:  # noqa: ANN401 - the parser's own
        """Take what the environment and midden.toml say for this command. Raises UsageError."""
        take_configured(ctx, self, given)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the parser's own
        """Call the command, once it is recorded for which target and vault it is."""
        MANNER.json = bool(ctx.params.get("json"))
        if MANNER.quiet and not wants_json():
            hush_output()
        self.begin(ctx)
        return super().invoke(ctx)

    def begin(self, ctx: Any) -> None:  # noqa: ANN401 - the parser's own
        """Record for which target and vault a command is. Raises UsageError."""
        from neotoma_core.settings.environment import default_vault, note_vaults

        note_vaults()
        for option in _DATABASES:
            target = ctx.params.get(option)
            if isinstance(target, list):
                ctx.params[option] = [meant_database(one) for one in target]
            elif isinstance(target, Path):
                ctx.params[option] = target = meant_database(target)
                begin_record(target, ctx.params.get("vault") or default_vault(target))


class TolerantCommand(StrictCommand):
    """A command that looks at the configuration itself, so an invalid one does not stop it."""

    def configure(self, ctx: Any, given: Any) -> None:  # noqa: ANN401 - the parser's own
        """Take what is configured, if it is valid."""
        with suppress(UsageError):
            super().configure(ctx, given)

    def begin(self, ctx: Any) -> None:  # noqa: ANN401 - the parser's own
        """Note for which target it is, if the configuration says which vault that has."""
        with suppress(UsageError):
            super().begin(ctx)


class ConfiguredGroup(TyperGroup):
    """A command that has others below it, and options of its own that can be configured.

    It refuses what ``StrictCommand`` refuses.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the parser's own
        """Parse; what the command line does not say, the environment and midden.toml may."""
        given = _require_meant(self, ctx, args)
        if "--help" not in args:
            take_configured(ctx, self, given)
        return super().parse_args(ctx, args)


def _require_meant(command: Any, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - the parser's own
    """Return what is given; raises UsageError for an empty value and for a second one."""
    given, _, order = command.make_parser(ctx).parse_args(args=list(args))
    times = Counter(parameter.name for parameter in order)
    for parameter in order:
        value = given.get(parameter.name or "")
        if "" in (value if isinstance(value, list | tuple) else [value]):
            raise UsageError(f"{_name_of(parameter)}: an empty value; give one, or leave it out")
        if times[parameter.name] > 1 and not _may_be_repeated(parameter):
            raise UsageError(f"{_name_of(parameter)}: given more than once; give it once")
    return given


def _words_of(ctx: Any) -> str:  # noqa: ANN401 - the parser's own
    """Return the words of a command after the program's own."""
    return " ".join(str(ctx.command_path).split()[1:])


def _may_be_repeated(parameter: Any) -> bool:  # noqa: ANN401 - an option or argument of the parser
    is_switch = getattr(parameter, "is_flag", False) and not parameter.secondary_opts
    return parameter.multiple or is_switch or parameter.nargs != 1


def _name_of(parameter: Any) -> str:  # noqa: ANN401 - an option or argument of the parser
    name = max(parameter.opts, key=len)
    return str(name if name.startswith("-") else (parameter.metavar or name.upper()))
