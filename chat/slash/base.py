"""What a slash command is, who typed it, and how it is answered."""

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
    """Who types, and where. A command may leave the conversation or choose the next one's model."""

    owner: User
    conversation_id: UUID | None
    model: str | None = None
    """What the next conversation of this connection begins with."""
    context: int | None = None
    outcome: CommandOutcome | None = None
    """The command's effect, if the page has to act on it."""

    @property
    def here(self) -> UUID:
        """The conversation. Raises `NotAllowed` where there is none."""
        if self.conversation_id is None:
            raise NotAllowed("There is no conversation yet. It begins with your first message.")
        return self.conversation_id


@dataclass(frozen=True)
class Command:
    """One command: how it is typed, what it does, who does it."""

    name: str
    arguments: str
    """As `/help` shows them; empty: it takes none."""
    summary: str
    answer: Callable[[Caller, str], Awaitable[str]]


commands: dict[str, Command] = {}


def command(arguments: str = "") -> Callable[[Callable[[Caller, str], Awaitable[str]]], Command]:
    """Make a function the command of its name; its docstring is its line in `/help`."""

    def declare(function: Callable[[Caller, str], Awaitable[str]]) -> Command:
        name = function.__name__.removesuffix("_")
        found = Command(name, arguments, (function.__doc__ or "").strip(), function)
        commands[name] = found
        return found

    return declare


def is_command(text: str) -> bool:
    """One slash begins a command; two begin a text with one."""
    return text.startswith("/") and not text.startswith("//")


def unescaped(text: str) -> str:
    """A message as it was meant: two slashes send the text with one."""
    return text[1:] if text.startswith("//") else text


async def dispatch(caller: Caller, text: str) -> str:
    """Return the answer to a command line. Raises only `MessageTooLong`."""
    if len(text) > MAX_TEXT:
        raise MessageTooLong(f"A message has at most {MAX_TEXT:,} characters.")
    name, rest = (*text[1:].split(None, 1), "", "")[:2]
    found = commands.get(name.lower())
    if found is None:
        caller.outcome = "unknown_command"
        near = get_close_matches(name.lower(), commands, n=1)
        hint = f" Did you mean `/{near[0]}`?" if near else ""
        return (
            f"There is no command `/{name[:40]}`.{hint} `/help` lists them all. To say it to the "
            "model, begin with two slashes."
        )
    if rest.strip() and not found.arguments:
        return f"`/{found.name}` takes nothing after it."
    try:
        return await found.answer(caller, rest.strip())
    except TalosError as error:
        return error.message


def quoted(text: str) -> str:
    """A text as a quotation."""
    return "\n".join(f"> {line}" for line in text.splitlines())


def plain(text: str) -> str:
    """A text within Markdown: what could be a mark is none."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~" else c for c in text)
