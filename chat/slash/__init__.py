"""Slash commands that a person types in the chat. Each command is one function.

Commands use the same services as the actions. Their answers are Markdown, are never stored, and do
not start a conversation. Errors of the services become answers too.
"""

from __future__ import annotations

from chat.slash import conversation, finding, tools  # noqa: F401  # importing them registers their commands
from chat.slash.base import Caller, Command, commands, dispatch, is_command, unescape

__all__ = ["Caller", "Command", "commands", "dispatch", "is_command", "unescape"]
