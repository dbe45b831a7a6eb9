"""Commands about tools, pending calls and remembered rules."""

from __future__ import annotations

from chat import services
from chat.db.lanes import read, write
from chat.models import ToolCall, ToolRule
from chat.slash.base import Caller, command
from chat.slash.conversation import tools_state
from chat.turns import toolbox


@command("[on or off]")
async def tools(caller: Caller, rest: str) -> str:
    """Lists the tools and the rules remembered here; `on` and `off` turn tools on or off here."""
    if rest:
        return await _switch(caller, rest.lower())
    rules = await read(_rules, caller)
    listed = "\n".join(_tool_line(tool.name, rules) for tool in toolbox.registry()) or "No tools."
    return f"{listed}\n\nTools: {await tools_state(caller)}"


async def _switch(caller: Caller, rest: str) -> str:
    if rest not in ("on", "off"):
        return "Type `/tools`, `/tools on` or `/tools off`."
    await write(services.configure, caller.owner, caller.here, offers_tools=rest == "on")
    return f"Tools: {await tools_state(caller)}"


def _rules(caller: Caller) -> dict[str, bool]:
    rules = ToolRule.objects.filter(
        conversation=caller.conversation_id, conversation__owner=caller.owner, imported=False
    )
    return dict(rules.values_list("tool", "allow"))


def _tool_line(name: str, rules: dict[str, bool]) -> str:
    tool = toolbox.registry().get(name)
    approval = "needs approval" if tool is not None and tool.approval else "automatic"
    if name in rules:
        approval = "always allowed here" if rules[name] else "always denied here"
    first_line = tool.summary if tool is not None else ""
    return f"- `{name}` ({approval}): {first_line}"


@command("[forget tool]")
async def approvals(caller: Caller, rest: str) -> str:
    """Lists the pending calls and the rules remembered here; `forget` makes a tool ask again."""
    if rest:
        verb, _, name = rest.partition(" ")
        if verb != "forget" or not name:
            return "Type `/approvals`, or `/approvals forget` and the name of a tool."
        await write(services.forget_rule, caller.owner, caller.here, name.strip())
        return f"`{name.strip()}` will ask again."
    pending = await read(_pending, caller)
    rules = await read(_rules, caller)
    lines = [f"- `{call.name}` is pending: `{call.arguments}`" for call in pending]
    lines += [_tool_line(name, rules) for name in rules]
    return "\n".join(lines) or "No pending calls and no remembered rules here."


def _pending(caller: Caller) -> list[ToolCall]:
    found = ToolCall.objects.pending().filter(message__owner=caller.owner)
    if caller.conversation_id is not None:
        found = found.filter(message__conversation=caller.conversation_id)
    return list(found)
