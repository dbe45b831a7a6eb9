"""The rows of the database, with their invariants as constraints.

A turn is a row; a page is a view of it. Transitions are conditional updates whose row count is
checked. `services/` has everything that a person may ask for, `turns/` the course of a turn.
"""

from __future__ import annotations

from chat.models.conversations import (
    HIDDEN,
    MAX_MODEL,
    OPENING_WORDS,
    Conversation,
    ConversationQuerySet,
    Message,
    OpaquePart,
    has_hidden,
    shown,
)
from chat.models.imports import ImportJob
from chat.models.records import (
    Audit,
    ModelPreference,
    Notice,
    Preference,
    ProviderConnection,
    Suggestion,
)
from chat.models.rendering import KeptRender
from chat.models.search import SearchEntry, Words
from chat.models.tools import ToolCall, ToolCallQuerySet, ToolRule
from chat.models.turns import Piece, PieceQuerySet, SoFar, Turn, TurnQuerySet

__all__ = [
    "HIDDEN",
    "MAX_MODEL",
    "OPENING_WORDS",
    "Audit",
    "Conversation",
    "ConversationQuerySet",
    "ImportJob",
    "KeptRender",
    "Message",
    "ModelPreference",
    "Notice",
    "OpaquePart",
    "Piece",
    "PieceQuerySet",
    "Preference",
    "ProviderConnection",
    "SearchEntry",
    "SoFar",
    "Suggestion",
    "ToolCall",
    "ToolCallQuerySet",
    "ToolRule",
    "Turn",
    "TurnQuerySet",
    "Words",
    "has_hidden",
    "shown",
]
