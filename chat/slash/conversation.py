"""Commands about the commands, the models and the current conversation."""

from __future__ import annotations

from chat import services
from chat.access.owner import find
from chat.db.lanes import read, write
from chat.display.usage import context_now, sum_usage
from chat.llm.catalogue.models import get_catalogue
from chat.models import Conversation, Message, Turn
from chat.models.records import offers_tools
from chat.slash.base import Caller, blockquote, command, commands
from chat.turns import context, engine

LISTED = 200
"""Models that `/models` lists."""


@command()
async def help_(caller: Caller, rest: str) -> str:
    """Lists the commands."""
    lines = [
        f"- `/{found.name}{' ' if found.arguments else ''}{found.arguments}` {found.summary}"
        for found in commands.values()
    ]
    return "\n".join(
        ["Commands:", *lines, "", "Start a message with `//` to send it with one slash."]
    )


@command()
async def status(caller: Caller, rest: str) -> str:
    """Shows the model, instructions, tools, messages, tokens and activity of this conversation."""
    default = await get_catalogue().default()
    return await read(_status, caller, default, await tools_state(caller))


def _status(caller: Caller, default: str, tools: str) -> str:
    if caller.conversation_id is None:
        return f"No conversation yet. Model: {_name_of(caller.model or default)}"
    conversation = find(caller.owner, caller.conversation_id)
    turns = Turn.objects.filter(conversation=conversation)
    messages = Message.objects.filter(conversation=conversation, withdrawn=False)
    live = turns.live().first()
    lines = [
        f"Conversation: {conversation}",
        f"Model: {_name_of(conversation.model or default)}",
        f"Temperature: {_or_default(conversation.temperature)}",
        f"Maximum answer length: {_or_default(conversation.max_output_tokens)}",
        f"Tools: {tools}",
        f"Messages: {messages.exclude(turn__status__in=Turn.UNFINISHED).count()}",
        f"Tokens: {_usage(conversation)}",
        f"Context: {context_now(conversation) or 'unknown'}",
        f"Now: {live.get_status_display().lower() if live else 'nothing is running'}",
        f"Queued: {turns.queued().count()}",
    ]
    listed = "\n".join(f"- {line}" for line in lines)
    return f"{listed}\n\nSystem prompt and instructions:\n\n{blockquote(context.system_prompt(conversation))}"


async def tools_state(caller: Caller) -> str:
    """Describe whether the next model may call tools here."""
    default = await get_catalogue().default()
    return await read(_tools_state, caller, default)


def _tools_state(caller: Caller, default: str) -> str:
    model = caller.model or default
    if caller.conversation_id is not None:
        conversation = find(caller.owner, caller.conversation_id)
        model = conversation.model or default
        if not conversation.offers_tools:
            return "off in this conversation. Type `/tools on` to turn them on."
    if not offers_tools(caller.owner.pk, model):
        return f"off for `{model}` in all conversations, by your settings"
    return "on"


def _or_default(value: float | None) -> str:
    return "the model's default" if value is None else str(value)


def _usage(conversation: Conversation) -> str:
    sums = sum_usage(Turn.objects.filter(conversation=conversation))
    price = "" if sums.cost is None else f", ${sums.cost:.4f}"
    return f"{sums.read or 0:,} in ({sums.cached or 0:,} cached), {sums.written or 0:,} out{price}"


@command()
async def models(caller: Caller, rest: str) -> str:
    """Lists the available models."""
    catalogue = get_catalogue()
    default, found = await catalogue.default(), await catalogue.models()
    listed = [f"`{model.id}`" for model in found if model.available]
    missing = [f"- `{m.id}`: {m.reason}" for m in found if not m.available]
    available = ", ".join(listed[:LISTED]) + _more(", ", len(listed) - LISTED)
    parts = [f"Available models: {available}", f"Default: {_name_of(default)}"]
    if missing:
        rest = _more("\n- ", len(missing) - LISTED)
        parts.append("\n".join(["Not available:", *missing[:LISTED]]) + rest)
    return "\n\n".join(parts)


def _more(before: str, number: int) -> str:
    return f"{before}and {number:,} more (search them in the model menu)" if number > 0 else ""


@command("[name]")
async def model(caller: Caller, rest: str) -> str:
    """Shows or sets the model of this conversation."""
    if not rest:
        return f"Model: {_name_of(await _model_of(caller))}. `/models` lists all models; `/model name` sets one."
    await get_catalogue().resolve(rest)
    if caller.conversation_id is None:
        caller.model = rest
    else:
        await write(services.configure, caller.owner, caller.conversation_id, model=rest)
    caller.outcome = "model_chosen"
    return f"Switched to `{rest}`."


def _name_of(model: str) -> str:
    return f"`{model}`" if model else "unknown while the model server is unreachable"


async def _model_of(caller: Caller) -> str:
    chosen = caller.model
    if caller.conversation_id is not None:
        chosen = (await read(find, caller.owner, caller.conversation_id)).model
    return chosen or await get_catalogue().default()


@command("[text, or none]")
async def instructions(caller: Caller, rest: str) -> str:
    """Shows or sets the instructions for the model in this conversation."""
    if not rest:
        current = (await read(find, caller.owner, caller.here)).instructions
        return (
            f"Instructions:\n\n{blockquote(current)}"
            if current
            else "No instructions are set here."
        )
    text = "" if rest.lower() == "none" else rest
    await write(services.configure, caller.owner, caller.here, instructions=text)
    return "Saved. Applies from your next message." if text else "The instructions were removed."


@command("[text]")
async def title(caller: Caller, rest: str) -> str:
    """Shows or sets the title of this conversation."""
    if not rest:
        return f"Title: {await read(find, caller.owner, caller.here)}"
    await write(services.entitle, caller.owner, caller.here, rest)
    return f"Title: {rest}"


@command()
async def new(caller: Caller, rest: str) -> str:
    """Leaves this conversation: your next message starts a new one."""
    caller.conversation_id = None
    return "Your next message starts a new conversation."


@command()
async def stop(caller: Caller, rest: str) -> str:
    """Stops the current answer."""
    stopped = engine.cancel(caller.here) or await write(services.cancel, caller.owner, caller.here)
    return "Stopped." if stopped else "Nothing is running here."


@command("[model]")
async def retry(caller: Caller, rest: str) -> str:
    """Tries the last message again, with another model if you name one."""
    if rest:
        await get_catalogue().resolve(rest)
    await write(
        services.regenerate,
        caller.owner,
        caller.here,
        default_model=await get_catalogue().default(),
        ask=services.Ask(model=rest, context=caller.context),
    )
    return "Trying again."
