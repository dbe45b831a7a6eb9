"""The declaration of slash commands, their caller, and their dispatch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches
from uuid import UUID

from django.contrib.auth.models import User

from chat.errors import MessageTooLong, NotAllowed, TalosError
from chat.protocol import MAX_TEXT, CommandOutcome


@dataclass
class Caller:
    """The person who types, and where. A command may leave the conversation or set the next one's model."""

    owner: User
    conversation_id: UUID | None
    model: str | None = None
    """The model for the next conversation of this connection."""
    context: int | None = None
    outcome: CommandOutcome | None = None
    """The command's effect, if the page has to act on it."""

    @property
    def here(self) -> UUID:
        """The id of the conversation. Raises `NotAllowed` if there is none."""
        if self.conversation_id is None:
            raise NotAllowed("There is no conversation yet. Send a message to start one.")
        return self.conversation_id


@dataclass(frozen=True)
class Command:
    """A slash command."""

    name: str
    arguments: str
    """As `/help` shows them; empty if it takes none."""
    summary: str
    answer: Callable[[Caller, str], Awaitable[str]]


commands: dict[str, Command] = {}


def command(arguments: str = "") -> Callable[[Callable[[Caller, str], Awaitable[str]]], Command]:
    """Register a function as the command of its name; its docstring is its line in `/help`."""

    def declare(function: Callable[[Caller, str], Awaitable[str]]) -> Command:
        name = function.__name__.removesuffix("_")
        found = Command(name, arguments, (function.__doc__ or "").strip(), function)
        commands[name] = found
        return found

    return declare


def is_command(text: str) -> bool:
    """Whether a text is a command: it starts with one slash, not two."""
    return text.startswith("/") and not text.startswith("//")


def unescape(text: str) -> str:
    """Return the message to send: two slashes at the start stand for one."""
    return text[1:] if text.startswith("//") else text


async def dispatch(caller: Caller, text: str) -> str:
    """Run a command line and return its answer. Raises only `MessageTooLong`."""
    if len(text) > MAX_TEXT:
        raise MessageTooLong(f"A message has at most {MAX_TEXT:,} characters.")
    name, rest = (*text[1:].split(None, 1), "", "")[:2]
    found = commands.get(name.lower())
    if found is None:
        caller.outcome = "unknown_command"
        near = get_close_matches(name.lower(), commands, n=1)
        hint = f" Did you mean `/{near[0]}`?" if near else ""
        return (
            f"There is no command `/{name[:40]}`.{hint} `/help` lists all commands. To send "
            "this to the model, start it with two slashes."
        )
    if rest.strip() and not found.arguments:
        return f"`/{found.name}` takes no arguments."
    try:
        return await found.answer(caller, rest.strip())
    except TalosError as error:
        return error.message


def blockquote(text: str) -> str:
    """Format a text as a Markdown quotation."""
    return "\n".join(f"> {line}" for line in text.splitlines())


def escape(text: str) -> str:
    """Escape a text for use in Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~" else c for c in text)
