"""Commands that take nothing silently: no empty value, and no second one where only one counts."""

from collections import Counter
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from neotoma_core.errors import UsageError, begin_record


class StrictCommand(TyperCommand):
    """A command that refuses an empty value, and an option repeated where only the last counts.

    An empty value is nearly always a variable that is not set; as a path it would be the current
    folder.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the parser's own
        """Parse, once the words are found to be meant; raises UsageError."""
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        times = Counter(parameter.name for parameter in order)
        for parameter in order:
            value = given.get(parameter.name or "")
            if "" in (value if isinstance(value, list | tuple) else [value]):
                raise UsageError(
                    f"{_name_of(parameter)}: an empty value; give one, or leave it out"
                )
            if times[parameter.name] > 1 and not _may_be_repeated(parameter):
                raise UsageError(f"{_name_of(parameter)}: given more than once; give it once")
        return super().parse_args(ctx, [*args, *self._name_target(given, args)])

    def _name_target(self, given: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the parser's own
        """Return the words that name the only database there is, where a command lacks one."""
        lacks = any(
            "--target" in parameter.opts and parameter.required and not given.get(parameter.name)
            for parameter in self.params
        )
        if not lacks or "--help" in args:
            return []
        from neotoma_core.settings.environment import configuration

        known = configuration().databases
        return ["--target", str(known[0].path)] if len(known) == 1 else []

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the parser's own
        """Call the command, once it is recorded for which target and vault it is."""
        from neotoma_core.settings.environment import configuration, default_vault

        target, vault = ctx.params.get("target"), ctx.params.get("vault")
        if isinstance(target, Path):
            if "/" not in str(target) and not target.exists():  # a file of that name comes first
                configured = configuration().find(str(target))
                ctx.params["target"] = target = configured.path if configured else target
            begin_record(target, vault or default_vault(target))
        return super().invoke(ctx)


def _may_be_repeated(parameter: Any) -> bool:  # noqa: ANN401 - an option or argument of the parser
    is_switch = getattr(parameter, "is_flag", False) and not parameter.secondary_opts
    return parameter.multiple or is_switch or parameter.nargs != 1


def _name_of(parameter: Any) -> str:  # noqa: ANN401 - an option or argument of the parser
    name = max(parameter.opts, key=len)
    return str(name if name.startswith("-") else (parameter.metavar or name.upper()))
