"""How much the wire carries."""

from __future__ import annotations

MAX_FRAME_BYTES = 1024 * 1024
MAX_TEXT = 65_536
"""Code points of one message."""
MAX_DEPTH = 8
MAX_ARGUMENTS_DEPTH = 32
"""Of what a model hands to a tool."""
MAX_QUEUED = 20
"""Sends that may wait behind the live turn of a conversation."""
MAX_ANSWER_BYTES = 1024 * 1024
SNAPSHOT_MESSAGES = 20
SNAPSHOT_CONTENT_BYTES = 64 * 1024
SNAPSHOT_CALLS_BYTES = 512 * 1024
"""Of the results, and of the arguments, of all tool calls in a snapshot's messages."""
SNAPSHOT_CALLS = 100
"""Calls of one message that a snapshot has: the first and the last ones."""
FRAME_TEXT_BYTES = 512 * 1024
"""Of one text in a frame of its own, as JSON."""
DEFAULT_CONTEXT = 20
"""Stored messages that the model is given after a `resume_session` that says nothing else."""
