"""Commands about the commands, the models and the conversation that is open."""

from __future__ import annotations

from chat import services
from chat.access.owner import find
from chat.db.lanes import read, write
from chat.display.usage import context_now, sum_usage
from chat.llm.catalogue.models import get_catalogue
from chat.models import Conversation, Message, Turn
from chat.models.records import offers_tools
from chat.slash.base import Caller, command, commands, quoted
from chat.turns import context, engine

LISTED = 200
"""Models that `/models` names."""


@command()
async def help_(caller: Caller, rest: str) -> str:
    """Lists what can be typed here."""
    lines = [
        f"- `/{found.name}{' ' if found.arguments else ''}{found.arguments}` {found.summary}"
        for found in commands.values()
    ]
    return "\n".join(["Commands:", *lines, "", "Begin with `//` to send a text with one slash."])


@command()
async def status(caller: Caller, rest: str) -> str:
    """Shows this conversation: model, instructions, tools, messages, tokens, what runs."""
    default = await get_catalogue().default()
    return await read(_status, caller, default, await tools_state(caller))


def _status(caller: Caller, default: str, tools: str) -> str:
    if caller.conversation_id is None:
        return f"No conversation yet. Model: {_named(caller.model or default)}"
    conversation = find(caller.owner, caller.conversation_id)
    turns = Turn.objects.filter(conversation=conversation)
    said = Message.objects.filter(conversation=conversation, withdrawn=False)
    live = turns.live().first()
    lines = [
        f"Conversation: {conversation}",
        f"Model: {_named(conversation.model or default)}",
        f"Temperature: {_or_default(conversation.temperature)}",
        f"Maximum answer length: {_or_default(conversation.max_output_tokens)}",
        f"Tools: {tools}",
        f"Messages: {said.exclude(turn__status__in=Turn.UNFINISHED).count()}",
        f"Tokens: {_usage(conversation)}",
        f"Context: {context_now(conversation) or 'not known'}",
        f"Now: {live.get_status_display().lower() if live else 'nothing runs'}",
        f"Queued: {turns.queued().count()}",
    ]
    listed = "\n".join(f"- {line}" for line in lines)
    return f"{listed}\n\nSystem prompt and instructions:\n\n{quoted(context.system_prompt(conversation))}"


async def tools_state(caller: Caller) -> str:
    """Whether the model that answers next may call tools here, in words."""
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
    """Lists the models that can answer."""
    catalogue = get_catalogue()
    default, found = await catalogue.default(), await catalogue.models()
    listed = [f"`{model.id}`" for model in found if model.available]
    missing = [f"- `{m.id}`: {m.reason}" for m in found if not m.available]
    available = ", ".join(listed[:LISTED]) + _more(", ", len(listed) - LISTED)
    parts = [f"Available models: {available}", f"Default: {_named(default)}"]
    if missing:
        rest = _more("\n- ", len(missing) - LISTED)
        parts.append("\n".join(["Not available:", *missing[:LISTED]]) + rest)
    return "\n\n".join(parts)


def _more(before: str, number: int) -> str:
    return f"{before}and {number:,} more, which the menu of models finds" if number > 0 else ""


@command("[name]")
async def model(caller: Caller, rest: str) -> str:
    """Shows or sets the model of this conversation."""
    if not rest:
        return f"Model: {_named(await _model_of(caller))}. `/models` lists them; `/model name` sets one."
    await get_catalogue().resolve(rest)
    if caller.conversation_id is None:
        caller.model = rest
    else:
        await write(services.configure, caller.owner, caller.conversation_id, model=rest)
    caller.outcome = "model_chosen"
    return f"Switched to `{rest}`."


def _named(model: str) -> str:
    return f"`{model}`" if model else "not known while the model server is away"


async def _model_of(caller: Caller) -> str:
    chosen = caller.model
    if caller.conversation_id is not None:
        chosen = (await read(find, caller.owner, caller.conversation_id)).model
    return chosen or await get_catalogue().default()


@command("[text, or none]")
async def instructions(caller: Caller, rest: str) -> str:
    """Shows or sets what the model is told in this conversation."""
    if not rest:
        told = (await read(find, caller.owner, caller.here)).instructions
        return f"Instructions:\n\n{quoted(told)}" if told else "No instructions are set here."
    text = "" if rest.lower() == "none" else rest
    await write(services.configure, caller.owner, caller.here, instructions=text)
    return "From the next message on." if text else "The instructions are gone."


@command("[text]")
async def title(caller: Caller, rest: str) -> str:
    """Shows or sets the title of this conversation."""
    if not rest:
        return f"Title: {await read(find, caller.owner, caller.here)}"
    await write(services.entitle, caller.owner, caller.here, rest)
    return f"Title: {rest}"


@command()
async def new(caller: Caller, rest: str) -> str:
    """Leaves this conversation: the next message begins a new one."""
    caller.conversation_id = None
    return "Your next message begins a new conversation."


@command()
async def stop(caller: Caller, rest: str) -> str:
    """Stops the answer that is being written."""
    stopped = engine.cancel(caller.here) or await write(services.cancel, caller.owner, caller.here)
    return "Stopped." if stopped else "Nothing runs here."


@command("[model]")
async def retry(caller: Caller, rest: str) -> str:
    """Answers the last message again, with another model if one is named."""
    if rest:
        await get_catalogue().resolve(rest)
    await write(
        services.regenerate,
        caller.owner,
        caller.here,
        default_model=await get_catalogue().default(),
        ask=services.Ask(model=rest, context=caller.context),
    )
    return "Once more."
