"""The archive format: what a conversation is in a file, and how it is written."""
