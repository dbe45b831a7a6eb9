"""One connection of a page: its actions, its frames and its place in a conversation."""
