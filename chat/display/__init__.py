"""Rows as clients see them: snapshots, messages on a page, tool cards, lists of chats and usage."""
