"""The command dispatcher: what a person types after a slash. Each command is one function.

Commands go through the same services as the actions. Their answers are Markdown; they are never
stored and make no conversation. Errors of the services are answers too.
"""

from __future__ import annotations

from chat.slash import conversation, finding, tools  # noqa: F401  # each declares its commands
from chat.slash.base import Caller, Command, commands, dispatch, is_command, unescaped

__all__ = ["Caller", "Command", "commands", "dispatch", "is_command", "unescaped"]
