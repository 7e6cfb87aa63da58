"""Where every call passes: one at a time, written down, and answered in words of our own."""

import asyncio
import contextvars
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, TextContent

from neotoma_core.agents.answers import Answer, Done, Planned
from neotoma_core.agents.audit import AuditLine, append_line, stamp
from neotoma_core.agents.plain import plain_name, short_hash
from neotoma_core.agents.plans import name_token, vault_of_plan
from neotoma_core.agents.refusals import Refused, refusal_of
from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.errors import MiddenError, begin_record
from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.report.layout import escape_name

_MOST_WAITING: Final = 16
_LONGEST: Final = 2_000
_LONGEST_PATH: Final = 500
_LONGEST_DETAIL: Final = 300
_WORDS: Final = ("as_of", "mode", "cursor", "limit", "backup", "run", "uri", "name", "remote")
_PATHS: Final = ("target", "folders", "copies")
Work = Callable[["WatchedFromAfar"], Answer]

_written: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("written", default=None)


@dataclass(slots=True)
class WatchedFromAfar:
    """Progress that is reported to a client, if it still listens; nothing waits for it."""

    tell: Callable[[float, str], None]
    steps: int = 0

    def begin(self, step: str, total: int | None = None) -> None:  # noqa: ARG002 - as Progress has it
        """Tell which step begins."""
        self.steps += 1
        self.tell(float(self.steps), step if step.isidentifier() else "working")

    def advance(self, units: int) -> None:
        """Say nothing of units: messages cost more than they tell."""


@dataclass(slots=True)
class Desk:
    """One server's place for calls. ``waiting``: how many there are, the current one included."""

    scope: Scope
    waiting: int = 0
    turn: anyio.Lock = field(default_factory=anyio.Lock)
    pen: anyio.Lock = field(default_factory=anyio.Lock)

    async def call(
        self,
        context: Context[Any, Any],
        tool: str,
        arguments: Mapping[str, Any],
        work: Work,
        *,
        writes: bool = False,
    ) -> CallToolResult:
        """Do the work of a tool in its turn, in a thread, and write down what came of it."""
        _note(tool)
        about = _about(self.scope, arguments)
        shown, client = _show_arguments(arguments), client_of(context)
        call = _Call(self.scope, about, tool, shown, client, writes=writes)
        if self.waiting >= _MOST_WAITING:
            busy = Refused(
                "BUSY", "too many calls at once", "wait, then call again", retryable=True
            )
            async with self.pen:  # one at a time: many that wait for the log would wait too long
                return _wire_refusal(await anyio.to_thread.run_sync(call.write_down, busy))
        self.waiting += 1
        try:
            async with self.turn:
                watched = WatchedFromAfar(_teller(context))
                done = await anyio.to_thread.run_sync(partial(call.run, work, watched))
        finally:
            self.waiting -= 1
        return _wire_refusal(done) if isinstance(done, Refused) else _wire_answer(done)

    async def write_others_down(
        self,
        ctx: ServerRequestContext[Any],
        call_next: CallNext,
    ) -> HandlerResult:
        """Write down the calls that reach no tool: unknown names, wrong arguments, questions."""
        if ctx.method not in ("tools/call", "resources/read", "prompts/get"):
            return await call_next(ctx)
        written: list[str] = []
        token = _written.set(written)
        outcome = "failed"
        try:
            result = await call_next(ctx)
            outcome = _outcome_of(result)
            if outcome == "refused" and not written:
                result = _in_our_words(result)
        finally:
            _written.reset(token)
            if not written:
                params = dict(ctx.params or {})
                said = {
                    n: str(params[n]) for n in ("name", "uri") if isinstance(params.get(n), str)
                }
                given = params.get("arguments")
                about = _about(self.scope, given if isinstance(given, dict) else {})
                line = _Call(
                    self.scope, about, ctx.method, _show_arguments(said), "?", writes=False
                )
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(line.append, outcome)
        return result


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a tool, as the audit log of the database that it is ``about`` has it."""

    scope: Scope
    about: Protected
    tool: str
    arguments: Mapping[str, JsonValue]
    client: str
    writes: bool

    def run(self, work: Work, watched: WatchedFromAfar) -> Answer | Refused:
        """Do the work and write it down; a call that writes is written down before, too."""
        begin_record()
        try:
            if self.writes:
                self.append("begun")
            answer = work(watched)
        except BaseException as error:  # noqa: BLE001 - the last frame of the call: say and go on
            return self.write_down(error)
        decision = _decision_of(answer) if isinstance(answer, Done) else None
        made = answer.plan if isinstance(answer, Planned | Done) else None
        plan = name_token(made) if made else None
        try:
            self.append("done", decision=decision, plan=plan)
        except (MiddenError, OSError):
            if not self.writes:
                return _audit_failure()
        return answer

    def write_down(self, error: BaseException) -> Refused:
        """Write a failure down, whole for the person, and return what the agent sees of it."""
        refused = refusal_of(error)
        known = isinstance(error, MiddenError | Refused)
        detail = escape_name(str(error) if known else type(error).__name__)[:_LONGEST]
        try:
            self.append("refused", code=refused.code, detail=detail)
        except (MiddenError, OSError):
            return _audit_failure()
        return refused

    def append(self, outcome: str, **facts: str | None) -> None:
        """Append a line to the log of the vault that the call is about."""
        now = stamp(self.scope.clock())
        plan = facts.pop("plan", None) or _text(self.arguments.get("plan"))
        line = AuditLine(now, self.client, self.tool, self.arguments, outcome, plan=plan, **facts)
        append_line(self.about.vault, self.about.path, line)


def _about(scope: Scope, arguments: Mapping[str, Any]) -> Protected:
    """Return the database that a call is about: by its plan, else its target, else the first."""
    plan, target = arguments.get("plan"), arguments.get("target")
    if plan:
        vault = vault_of_plan([one.vault for one in scope.targets], str(plan))
        return next((one for one in scope.targets if one.vault == vault), scope.targets[0])
    try:
        return scope.target(str(target)) if target else scope.targets[0]
    except Refused:
        return scope.targets[0]


def _decision_of(done: Done) -> str:
    return f"{done.outcome}, agreed {done.agreed}" if done.agreed else done.outcome


def client_of(context: Context[Any, Any]) -> str:
    """Return what the client calls itself, if that may be shown."""
    params = context.session.client_params
    return plain_name(params.client_info.name, "client") or "?" if params else "?"


def _note(tool: str) -> None:
    written = _written.get()
    if written is not None:
        written.append(tool)


def _show_arguments(arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return arguments as they are written down: no id of an entity, no usable plan."""
    shown: dict[str, JsonValue] = {}
    for name, value in arguments.items():
        if value in ("", None, [], ()):
            continue
        if name == "plan":
            shown[name] = name_token(str(value))
        elif name in _PATHS:
            paths = [value] if isinstance(value, str) else [*value]
            texts: list[JsonValue] = [_path(str(path)) for path in paths[:20]]
            shown[name] = texts[0] if isinstance(value, str) else texts
        elif name in _WORDS:
            shown[name] = value if isinstance(value, int) else plain_name(str(value), name)
        else:
            shown[name] = f"[{short_hash(str(value))}]"
    return shown


def _path(text: str) -> str:
    shown = "/".join(plain_name(part, "name") or "" for part in text.split("/"))
    return shown if len(shown) <= _LONGEST_PATH else f"[path {short_hash(text)}]"


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _teller(context: Context[Any, Any]) -> Callable[[float, str], None]:
    loop = asyncio.get_running_loop()

    def tell(step: float, words: str) -> None:
        asyncio.run_coroutine_threadsafe(context.report_progress(step, None, words), loop)

    return tell


def _outcome_of(result: object) -> str:
    if isinstance(result, CallToolResult):
        return "refused" if result.is_error else "done"
    if isinstance(result, dict):
        return "refused" if result.get("isError") else str(result.get("resultType") or "done")[:20]
    return "done"


def _in_our_words(result: HandlerResult) -> HandlerResult:
    """Return the SDK's refusal of a call as one of ours, with what the SDK says as details."""
    content = result.content if isinstance(result, CallToolResult) else _content_of(result)
    said = "".join(getattr(block, "text", "") for block in content)
    words = "there is no such tool, or it does not take these arguments"
    refused = Refused("VALIDATION_ERROR", words, "look at the tool's input schema")
    return _wire_refusal(refused, {"sdk": escape_name(" ".join(said.split()))[:_LONGEST_DETAIL]})


def _content_of(result: HandlerResult) -> Sequence[object]:
    read = CallToolResult.model_validate(result)
    return read.content


def _wire_answer(answer: Answer) -> CallToolResult:
    text = answer.model_dump_json(exclude_none=True, exclude_defaults=True)
    content = TextContent(type="text", text=text)
    return CallToolResult(content=[content], structured_content=answer.model_dump(mode="json"))


def _wire_refusal(
    refused: Refused, details: Mapping[str, JsonValue] | None = None
) -> CallToolResult:
    said: dict[str, JsonValue] = {
        "code": refused.code,
        "message": refused.words,
        "retryable": refused.retryable,
        "exit_code": refused.exit_code,
    }
    if refused.next_step:
        said["next_step"] = refused.next_step
    if details:
        said["details"] = dict(details)
    text = stringify({"error": said})
    return CallToolResult(is_error=True, content=[TextContent(type="text", text=text)])


def _audit_failure() -> Refused:
    return Refused(
        "AUDIT_FAILED",
        "the audit log cannot be written, so nothing is answered",
        "ask the person to look at the vault with `midden audit`",
    )
