"""Limits of the wire."""

from __future__ import annotations

MAX_FRAME_BYTES = 1024 * 1024
MAX_TEXT = 65_536
"""Code points of one message."""
MAX_DEPTH = 8
MAX_ARGUMENTS_DEPTH = 32
"""For the arguments that a model passes to a tool."""
MAX_QUEUED = 20
"""Sends that may wait behind the live turn of a conversation."""
MAX_ANSWER_BYTES = 1024 * 1024
SNAPSHOT_MESSAGES = 20
SNAPSHOT_CONTENT_BYTES = 64 * 1024
SNAPSHOT_CALLS_BYTES = 512 * 1024
"""For the results of all tool calls in a snapshot, and again for their arguments."""
SNAPSHOT_CALLS = 100
"""Calls of one message in a snapshot: the first and the last ones."""
FRAME_TEXT_BYTES = 512 * 1024
"""For one text in a frame of its own, as JSON."""
DEFAULT_CONTEXT = 20
"""Stored messages that the model is given after a `resume_session` without `context`."""
