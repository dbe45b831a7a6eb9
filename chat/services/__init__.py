"""Every write that a person can ask for: one function, one transaction each.

The consumer, slash commands, views, the admin and management commands all call these functions.
Each changes rows, announces it to pages and, if a turn may now run, nudges the engine; in a process
without an engine (a command) the server notices within a second. All raise `TalosError`s, and then
have changed nothing.
"""

from __future__ import annotations

from chat.services.approvals import decide, forget_rule
from chat.services.asking import Ask, Sent, find_sent, message_created
from chat.services.connections import (
    Connected,
    connect,
    disconnect,
    list_connected,
    models_of,
)
from chat.services.conversations import (
    MAX_OUTPUT_TOKENS,
    MAX_TEMPERATURE,
    archive,
    begin,
    configure,
    delete,
    entitle,
    mark_read,
    pin,
    prefer,
    prefer_for_model,
    remove,
)
from chat.services.messages import (
    cancel,
    continue_,
    edit,
    regenerate,
    say,
    select,
    withdraw,
)
from chat.services.ownership import reassign

__all__ = [
    "MAX_OUTPUT_TOKENS",
    "MAX_TEMPERATURE",
    "Ask",
    "Connected",
    "Sent",
    "archive",
    "begin",
    "cancel",
    "configure",
    "connect",
    "continue_",
    "decide",
    "delete",
    "disconnect",
    "edit",
    "entitle",
    "find_sent",
    "forget_rule",
    "list_connected",
    "mark_read",
    "message_created",
    "models_of",
    "pin",
    "prefer",
    "prefer_for_model",
    "reassign",
    "regenerate",
    "remove",
    "say",
    "select",
    "withdraw",
]
